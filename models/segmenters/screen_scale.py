"""Brings a screenshot of unknown pixel density to about one CSS pixel per pixel, judged by its letters.

Used by `models.segmenters.gui`. Knows no text and no elements.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

# Of 40 pages at 1x, a fifth of the letter blobs was at most 7-12 px high; of 16 denser captures, 12-19 px, once below 15.
# The letter's size is set a little low: of the ratios in doubt, 2 is by far the most frequent.
_LETTER_PX, _DENSE_LETTER_PX, _ENOUGH_LETTERS = 8.25, 13.5, 40
_RATIOS = (1.5, 2.0, 3.0)
_MAX_WIDTH_PX = 3840  # bounds memory together with the bands that text and elements are looked for in


def working_copy(image: NDArray[np.uint8], device_pixel_ratio: float) -> tuple[NDArray[np.uint8], float]:
    """Return the copy to look at and its scale: CSS pixels if the ratio is known, else judged by the letters' size."""
    scale = 1.0 / device_pixel_ratio if device_pixel_ratio > 1.0 else _scale_of_letters(image)
    scale = min(scale, _MAX_WIDTH_PX / image.shape[1])
    if scale > 0.999:
        return np.ascontiguousarray(image[:, :, :3]), 1.0
    width, height = (max(1, round(side * scale)) for side in (image.shape[1], image.shape[0]))
    resized = cv2.resize(image[:, :, :3], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), scale


def _scale_of_letters(image: NDArray[np.uint8]) -> float:
    """Scale that brings a dense capture of unknown ratio to about 1x; 1.0 where small letters show that it is none."""
    heights = letter_heights(image)
    if len(heights) < _ENOUGH_LETTERS:
        return 1.0
    small = float(np.percentile(heights, 20))
    if small < _DENSE_LETTER_PX:
        return 1.0
    return 1.0 / min(_RATIOS, key=lambda ratio: abs(math.log(small / _LETTER_PX / ratio)))


def letter_heights(image: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the heights in px of the blobs of sharp contrast in `image` (H, W, 3) that stand in a row like letters."""
    grey = cv2.cvtColor(np.ascontiguousarray(image[:, :, :3]), cv2.COLOR_RGB2GRAY)
    sharp = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 60).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(sharp, connectivity=8)
    x, y, w, h = (stats[1:, column] for column in range(4))
    shaped = (h >= 4) & (h <= 64) & (w >= 2) & (w <= 3 * h)
    order = np.lexsort((x[shaped], (y + h)[shaped] // 4))
    left, base, high = (values[shaped][order] for values in (x, y + h, h))
    gap = np.diff(left)
    near = (gap > 0) & (gap < 2.5 * high[1:]) & (np.abs(np.diff(base)) <= 4) if len(left) > 1 else np.zeros(0, np.bool_)
    return np.asarray(high[1:][near], np.int32)
