"""Finds text lines: cuts a picture into bands, lets the network draw where text is, and boxes what it drew.

The rules from map to box are those of DB (Liao et al., "Real-time Scene Text Detection with Differentiable
Binarization", 2020, section 3.4), with the constants the model was published with. A fixed grid of bands keeps memory
bounded on full-page screenshots, lets two cores work side by side, and makes an unchanged band recognisable on the next
screenshot. Knows no text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr.lines import Box

_BAND_PX = 600_000  # two bands on 1280x800: one per core
_HALO_PX = 48  # what a band sees beyond its own rows; lines up to 96 px high are whole in one of two bands
_SHARED_PX = 2  # where two bands may box one line a little differently, both may claim it
_GRID_PX = 32  # the network halves its input five times
_SMALL_PX, _MOST_ZOOM = 500_000, 2.0

_TEXT, _SURE, _GROW = 0.3, 0.5, 1.6
_THINNEST_PX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Rows [top, bottom) of a picture that the network sees at once; lines with their middle in [first, last) are its own."""

    top: int
    bottom: int
    first: int
    last: int


def zoom_for(size_hw: tuple[int, int]) -> float:
    """How much a picture of `size_hw` is enlarged before lines are sought: small captures have small letters."""
    pixels = size_hw[0] * size_hw[1]
    return min(_MOST_ZOOM, math.sqrt(2 * _SMALL_PX / pixels)) if pixels < _SMALL_PX else 1.0


def bands(size_hw: tuple[int, int]) -> list[Band]:
    """Cut `size_hw` into bands of equal height with overlap; the grid depends on the size alone."""
    height, width = size_hw
    count = max(1, math.ceil(height * width / _BAND_PX))
    own = math.ceil(height / count / _GRID_PX) * _GRID_PX
    return [
        Band(
            top=max(first - _HALO_PX, 0),
            bottom=min(first + own + _HALO_PX, height),
            first=first,
            last=min(first + own, height),
        )
        for first in range(0, height, own)
    ]


def owns(band: Band, box: Box) -> bool:
    """True if a line boxed in a band's own rows and columns has its middle where the band is the one to tell of it."""
    middle = band.top + (box[1] + box[3]) / 2
    return band.first - _SHARED_PX <= middle < band.last + _SHARED_PX


def joined(found: Sequence[tuple[Band, Sequence[Box]]]) -> list[Box]:
    """Return the boxes of all bands in the picture's pixels; a line that two of them claim is the upper one's."""
    lines: list[Box] = []
    for band, boxes in found:
        moved = [(x0, y0 + band.top, x1, y1 + band.top) for x0, y0, x1, y1 in boxes]
        seam = [box for box in lines if box[3] > band.first - _HALO_PX]
        lines += [box for box in moved if not any(_same(box, other) for other in seam)]
    return lines


def network_input(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (H, W, 3) uint8 RGB as the (1, 3, H', W') float32 the network wants: BGR in -1..1, sides on its grid."""
    high, wide = (max(_GRID_PX, round(side / _GRID_PX) * _GRID_PX) for side in rgb.shape[:2])
    if (high, wide) != rgb.shape[:2]:
        rgb = np.asarray(cv2.resize(rgb, (wide, high)), np.uint8)
    return np.asarray(cv2.dnn.blobFromImage(rgb, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True), np.float32)


def lines_of(chance: NDArray[np.float32], size_hw: tuple[int, int]) -> list[Box]:
    """Box the text in a map of chances (h, w) 0-1 for a picture of `size_hw`: whole pixels, clipped to it."""
    mask = cv2.dilate((chance > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale_xy = size_hw[1] / chance.shape[1], size_hw[0] / chance.shape[0]
    boxes = [_box(chance, contour, scale_xy, size_hw) for contour in contours]
    return [box for box in boxes if box is not None]


def reading_rows(boxes: list[Box]) -> list[Box]:
    """Sort boxes by rows (a new one begins 10 px below the last box's top), within a row from left to right."""
    ordered = sorted(boxes, key=lambda box: (box[1], box[0]))
    keyed, row = [], 0
    for index, box in enumerate(ordered):
        row += bool(index) and box[1] - ordered[index - 1][1] >= 10
        keyed.append((row, box))
    return [box for _, box in sorted(keyed, key=lambda item: (item[0], item[1][0], item[1][1]))]


def _same(one: Box, other: Box) -> bool:
    """True if two boxes share more than half of the smaller one."""
    width, height = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width > 0 and height > 0 and width * height > 0.5 * least


def _box(
    chance: NDArray[np.float32], contour: NDArray[np.int32], scale_xy: tuple[float, float], size_hw: tuple[int, int]
) -> Box | None:
    """Upright box of one contour after growing it by area * ratio / perimeter; None for specks and doubtful ones."""
    center, sides, angle = cv2.minAreaRect(contour)
    if min(sides) < _THINNEST_PX or _mean_chance(chance, cv2.boxPoints((center, sides, angle))) < _SURE:
        return None
    reach = sides[0] * sides[1] * _GROW / (2 * (sides[0] + sides[1]))
    corners = cv2.boxPoints((center, (sides[0] + 2 * reach, sides[1] + 2 * reach), angle))
    low = np.round(corners.min(axis=0) * scale_xy)
    high = np.round(corners.max(axis=0) * scale_xy)
    x0, y0 = max(float(low[0]), 0.0), max(float(low[1]), 0.0)
    x1, y1 = min(float(high[0]), size_hw[1] - 1.0), min(float(high[1]), size_hw[0] - 1.0)
    return (x0, y0, x1, y1) if x1 - x0 > _THINNEST_PX and y1 - y0 > _THINNEST_PX else None


def _mean_chance(chance: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    """Mean of the map inside a rotated box."""
    limits = np.array([chance.shape[1] - 1, chance.shape[0] - 1])
    low = np.clip(np.floor(corners.min(axis=0)), 0, limits).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, limits).astype(int)
    inside = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - low).astype(np.int32)], 1)
    return float(cv2.mean(chance[low[1] : high[1] + 1, low[0] : high[0] + 1], inside)[0])
