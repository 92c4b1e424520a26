"""Small holes and islands of masks: filled and dropped. Called by `everything` and `clicking`; knows run lengths only."""

import cv2
import numpy as np

from models import rle
from models.rle import Mask, Runs


def cleaned(runs: Runs, size_hw: tuple[int, int], least_px: int) -> tuple[Runs, bool]:
    """Fill holes, then drop islands, of fewer than `least_px` pixels; returns the mask and whether any was found.

    Pixels that touch by a corner belong together, in holes as in islands. Where all islands are small the largest stays.
    """
    (x0, y0), crop = rle.crop(runs, size_hw[0])
    # The surround must be large enough not to count as a hole itself.
    left, top = max(0, x0 - least_px), max(0, y0 - least_px)
    right = min(size_hw[1], x0 + crop.shape[1] + least_px)
    bottom = min(size_hw[0], y0 + crop.shape[0] + least_px)
    mask = np.zeros((bottom - top, right - left), np.bool_)
    mask[y0 - top : y0 - top + crop.shape[0], x0 - left : x0 - left + crop.shape[1]] = crop
    filled, had_holes = _without_holes(mask, least_px)
    kept, had_islands = _without_islands(filled, least_px)
    if not had_holes and not had_islands:
        return runs, False
    return rle.encode(kept, (left, top), size_hw), True


def _without_holes(mask: Mask, least_px: int) -> tuple[Mask, bool]:
    labels, small, _ = _parts(~mask, least_px)
    return (mask | np.isin(labels, small), True) if small else (mask, False)


def _without_islands(mask: Mask, least_px: int) -> tuple[Mask, bool]:
    labels, small, areas = _parts(mask, least_px)
    if not small:
        return mask, False
    if len(small) == len(areas):
        small.remove(int(np.argmax(areas)) + 1)
    return mask & ~np.isin(labels, small), True


def _parts(mask: Mask, least_px: int) -> tuple[np.ndarray, list[int], np.ndarray]:
    """Return the label of each pixel, the labels of the parts below `least_px`, and the areas of all parts."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return labels, (np.flatnonzero(areas < least_px) + 1).tolist(), areas
