"""Finds the regions of one picture again in another by where they lie and how they look: consecutive frames, one screen twice.

A region's score with another is half place (overlap of the masks, or nearness where they do not overlap) and half look (colours
inside the masks, and size). Only pairs that are each other's best by a clear lead are given back; the rest is for a model.
Called by `grounding.correspond`; knows no marks and no words.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.regions import Regions

Matrix = NDArray[np.float64]  # (N, M)

SURE = 0.62
LEAD = 0.08
_LIKE = 0.5
"""A pair's look must reach this whatever its place: an object that left the frame is often replaced by another one there."""
_BINS = 4
_MAX_LOOKED_AT = 64
"""Crops are shrunk to this many pixels a side before their colours are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture, (H, W, 3) uint8 RGB, and regions on it."""

    image: NDArray[np.uint8]
    regions: Regions


def sure_pairs(first: Frame, second: Frame) -> dict[int, int]:
    """Return {region of `first`: region of `second`} for the pairs that place and look decide."""
    if not len(first.regions) or not len(second.regions):
        return {}
    look = _looks(first, second)
    scores = np.where(look >= _LIKE, 0.5 * _places(first.regions, second.regions) + 0.5 * look, 0.0)
    pairs = {}
    for i in range(len(first.regions)):
        j = int(scores[i].argmax())
        if scores[i, j] < SURE or int(scores[:, j].argmax()) != i:
            continue
        rivals = max(_second(scores[i]), _second(scores[:, j]))
        if scores[i, j] - rivals >= LEAD:
            pairs[i] = j
    return pairs


def _second(scores: NDArray[np.float64]) -> float:
    return float(np.partition(scores, -2)[-2]) if len(scores) > 1 else 0.0


def _places(first: Regions, second: Regions) -> Matrix:
    """Return 0-1: 0.5 to 1 for masks that overlap, below 0.5 the farther they lie apart in lengths of themselves."""
    moved = second if second.size_hw == first.size_hw else second.scaled(first.size_hw)
    overlap: Matrix = np.asarray(coco.iou(list(first.rles), list(moved.rles), [0] * len(moved)), np.float64)
    a, b = first.boxes_xyxy_px.astype(np.float64), moved.boxes_xyxy_px.astype(np.float64)
    centers_a, centers_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    apart = np.hypot(*(centers_a[:, None] - centers_b[None]).transpose(2, 0, 1))
    length = np.maximum(np.hypot(*(a[:, 2:] - a[:, :2]).T), 1.0)
    near: Matrix = np.exp(-apart / length[:, None])
    result: Matrix = np.maximum(np.where(overlap > 0, 0.5 + 0.5 * overlap, 0.0), 0.9 * near)
    return result


def _looks(first: Frame, second: Frame) -> Matrix:
    """Return 0-1: how alike the colours inside the masks are, times how alike the sizes are."""
    colors_a, colors_b = _histograms(first), _histograms(second)
    alike = np.minimum(colors_a[:, None], colors_b[None]).sum(axis=2)
    sizes = np.array(
        [[_size_ratio(x, y) for y in _extents(second.regions)] for x in _extents(first.regions)], np.float64
    )
    result: Matrix = alike * np.sqrt(sizes)
    return result


def _extents(regions: Regions) -> list[float]:
    """Return the side of a square as large as each mask, as a share of the frame's diagonal."""
    diagonal = math.hypot(*regions.size_hw)
    return [math.sqrt(max(regions.area_px(i), 1)) / diagonal for i in range(len(regions))]


def _size_ratio(one: float, other: float) -> float:
    return min(one, other) / max(one, other)


def _histograms(frame: Frame) -> NDArray[np.float64]:
    """Return (N, bins) colour shares in CIELAB, smoothed over neighbouring bins so that a little light changes little."""
    found = []
    for i in range(len(frame.regions)):
        (x0, y0), crop = frame.regions.crop(i)
        pixels = frame.image[y0 : y0 + crop.shape[0], x0 : x0 + crop.shape[1]]
        found.append(_histogram(pixels, crop))
    return np.stack(found)


def _histogram(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    bins: Sequence[int] = (_BINS, 2 * _BINS, 2 * _BINS)
    if not mask.any():
        return np.zeros(math.prod(bins))
    step = max(1, max(mask.shape) // _MAX_LOOKED_AT)
    # Every step-th pixel: means of neighbours would invent colours.
    lab = cv2.cvtColor(np.ascontiguousarray(pixels[::step, ::step]), cv2.COLOR_RGB2LAB)
    inside = np.ascontiguousarray(mask[::step, ::step]).view(np.uint8)
    if not inside.any():
        lab, inside = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2LAB), mask.view(np.uint8)
    counts = np.asarray(cv2.calcHist([lab], [0, 1, 2], inside, list(bins), [0, 256] * 3), np.float64)
    for axis in range(3):
        counts = 0.5 * counts + 0.25 * (_shifted(counts, 1, axis) + _shifted(counts, -1, axis))
    shares: NDArray[np.float64] = (counts / counts.sum()).ravel()
    return shares


def _shifted(counts: NDArray[np.float64], by: int, axis: int) -> NDArray[np.float64]:
    """Return the counts moved by one bin; what would leave stays in the last bin."""
    moved = np.roll(counts, by, axis)
    edge, source = (0, 0) if by > 0 else (-1, -1)
    index: list[slice | int] = [slice(None)] * 3
    index[axis] = edge
    origin: list[slice | int] = [slice(None)] * 3
    origin[axis] = source
    moved[tuple(index)] = counts[tuple(origin)]
    return moved
