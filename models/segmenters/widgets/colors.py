"""Small measurements on pixels shared by the modules of this package: medians, paper colour, rings, runs of columns."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box

Rgb = tuple[int, int, int]


def paper_color(crop: NDArray[np.int16]) -> tuple[int, int, int]:
    """Background of a text crop: the most frequent colour, in steps of 8."""
    codes = (crop.reshape(-1, 3) // 8).astype(np.int32) @ np.array([1024, 32, 1], np.int32)
    common = np.bincount(codes).argmax()
    return median_color(crop.reshape(-1, 3)[codes == common])


def median_color(pixels: NDArray[np.uint8] | NDArray[np.int16]) -> tuple[int, int, int]:
    """Per-channel median of (N, 3) pixels."""
    red, green, blue = np.median(pixels.reshape(-1, 3), axis=0)
    return int(red), int(green), int(blue)


def color_distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    """Largest channel difference of two colours."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def channel_max(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Largest channel of (H, W, 3); three times faster than a reduction over the short last axis."""
    merged: NDArray[np.uint8] = np.maximum(np.maximum(pixels[:, :, 0], pixels[:, :, 1]), pixels[:, :, 2])
    return merged


def ring_color(image: NDArray[np.uint8], box: tuple[int, int, int, int], inset: int) -> tuple[int, int, int]:
    """Median colour along the sides of a box, corners left out, as far as they lie in the image."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    xs = slice(max(x0 + inset, 0), max(min(x1 - inset, width), 1))
    ys = slice(max(y0 + inset, 0), max(min(y1 - inset, height), 1))
    sides = [image[y, xs] for y in (y0, y1 - 1) if 0 <= y < height]
    sides += [image[ys, x] for x in (x0, x1 - 1) if 0 <= x < width]
    pixels = np.concatenate(sides) if sides else image[:1, :1].reshape(-1, 3)
    return median_color(pixels) if len(pixels) else (255, 255, 255)


def close_gaps(columns: NDArray[np.bool_], gap_px: float) -> NDArray[np.bool_]:
    """Fill gaps of at most `gap_px` between set columns."""
    closed = columns.copy()
    set_at = np.flatnonzero(columns)
    for left, right in pairwise(set_at.tolist()):
        if right - left - 1 <= gap_px:
            closed[left:right] = True
    return closed


def runs(columns: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open runs of set columns."""
    padded = np.concatenate(([False], columns, [False]))
    changes = np.flatnonzero(padded[1:] != padded[:-1])
    return [(int(left), int(right)) for left, right in zip(changes[::2], changes[1::2], strict=True)]


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
