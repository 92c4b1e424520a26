"""Masks as outlines, for formats that know only polygons, and outlines as masks.

An outline runs through the centres of the mask's border pixels, and filling one paints the pixels under its line too:
that is how LabelMe (Pillow) and Ultralytics (OpenCV, after cutting to whole pixels) fill, so that both give back the
mask to the pixel. A hole is reached by a bridge, a line that is walked there and back; it runs where the mask is, and
changes nothing. Knows no format.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.regions import Mask

Ring = NDArray[np.int32]  # (P, 2) x, y of pixels


def parts_of(mask: Mask) -> list[Ring]:
    """Return one closed outline per 8-connected part of a (h, w) bool mask, holes reached by bridges, largest first."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(mask).view(np.uint8), connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1
    parts = []
    for label in order.tolist():
        x, y, w, h = (int(value) for value in stats[label, :4])
        crop = (labels[y : y + h, x : x + w] == label).astype(np.uint8)
        contours, _ = cv2.findContours(crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        rings = [np.asarray(contour, np.int32).reshape(-1, 2) for contour in contours]
        outer = max(range(len(rings)), key=lambda i: _extent(rings[i]))
        ring = join([rings[outer], *rings[:outer], *rings[outer + 1 :]])
        parts.append(_corners(ring) + np.array([x, y], np.int32))
    return parts


def join(rings: Sequence[Ring]) -> Ring:
    """Return one closed outline that walks through all rings, the nearest first, over bridges between nearest pixels."""
    merged, waiting = rings[0], list(rings[1:])
    if not waiting:
        return merged
    low = np.min([ring.min(axis=0) for ring in rings], axis=0)
    width, height = (np.max([ring.max(axis=0) for ring in rings], axis=0) - low + 1).tolist()
    while waiting:
        ground = np.ones((height, width), np.uint8)
        ground[merged[:, 1] - low[1], merged[:, 0] - low[0]] = 0
        distance, nearest = cv2.distanceTransformWithLabels(
            ground, cv2.DIST_L2, cv2.DIST_MASK_PRECISE, labelType=cv2.DIST_LABEL_PIXEL
        )
        away = [distance[ring[:, 1] - low[1], ring[:, 0] - low[0]] for ring in waiting]
        chosen = min(range(len(waiting)), key=lambda i: float(away[i].min()))
        ring = waiting.pop(chosen)
        there = int(np.argmin(away[chosen]))
        x, y = (ring[there] - low).tolist()
        here_yx = np.argwhere((ground == 0) & (nearest == nearest[y, x]))[0]
        here = int(np.flatnonzero((merged == here_yx[::-1] + low).all(axis=1))[0])
        walk = np.concatenate([ring[there:], ring[: there + 1]])
        merged = np.concatenate([merged[: here + 1], walk, merged[here:]])
    return merged


def fill(points: NDArray[np.float64], size_hw: tuple[int, int]) -> Mask:
    """Return the (H, W) bool mask inside and under an outline of (P, 2) x, y in pixels; even-odd where it meets itself."""
    frame = np.zeros(size_hw, np.uint8)
    limit = 4.0 * max(size_hw)
    pixels = np.floor(np.clip(points, -limit, limit)).astype(np.int32)
    cv2.fillPoly(frame, [pixels.reshape(-1, 1, 2)], 1)
    return frame.view(np.bool_)


def _extent(ring: Ring) -> int:
    sides = ring.max(axis=0) - ring.min(axis=0) + 1
    return int(sides[0] * sides[1])


def _corners(ring: Ring) -> Ring:
    """Leave out the points in the middle of straight steps; at least three points stay, as LabelMe asks."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    straight = (before[:, 0] * after[:, 1] == before[:, 1] * after[:, 0]) & ((before * after).sum(axis=1) > 0)
    kept = ring[~straight]
    return kept if len(kept) >= 3 else np.resize(kept, (3, 2))
