"""Chooses a segmenter by looking at the pixels: `gui` for screenshots, `regions` for photos and drawings.

Called through `models.registry` for the segmenter name `auto`. Costs 10-20 ms whatever the image's size. Knows only
the two classical segmenters: weights are never assumed to be there.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.protocols import SegmentRequest
from models.segmenters.accessibility import blind_share, read_tree
from models.segmenters.accessibility.nodes import elements

_MOST_PIXELS = 1_300_000
_TILE_PX, _EVEN_SHARE, _SAME_LEVELS = 64, 0.7, 2
# Measured: 16 pages have 52-1336 such letters (44-531 as JPEGs of quality 80), 60 mock pages of three to six short words
# 9-38 (6-37), 60 drawn screens 28-162; 116 of 120 drawn scenes have at most 3, 95 photos none.
_LETTERS, _EVEN_TILES = 4, 0.1
# A canvas of a tenth of the picture holds things to click that no tree tells; smaller ones are charts and signatures.
_BLIND_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the choice rests on.

    `even`: share (0-1) of tiles of 64 px in which nearly all neighbours have the same colour. `letters`: number of blobs
    of sharp contrast in such tiles that have the size and shape of letters and stand in a row of three or more.
    """

    even: float
    letters: int


def choose(image: NDArray[np.uint8]) -> str:
    """Return `gui` or `regions` for `image` ((H, W, 3) uint8 RGB).

    A screenshot has rows of letters on even ground, if only beside a large photo; a photo has letters or even ground.
    """
    if min(image.shape[:2]) < 16:
        return "regions"
    looks = look(image)
    return "gui" if looks.letters >= _LETTERS and looks.even >= _EVEN_TILES else "regions"


def choose_with_tree(image: NDArray[np.uint8], request: SegmentRequest) -> str:
    """Return `provided` if the request's accessibility tree tells enough of `image` ((H, W, 3) uint8 RGB), else `gui`.

    It tells too little where it has no element, or where the largest canvas, video, plugin or closed frame takes at
    least a tenth of the image: then pixels are read as well, and the tree still wins where it speaks. Raises BadRegions.
    """
    size_hw = (int(image.shape[0]), int(image.shape[1]))
    nodes = read_tree(request.accessibility_tree, size_hw, request.device_pixel_ratio)
    return "provided" if elements(nodes) and blind_share(nodes, size_hw) < _BLIND_SHARE else "gui"


def look(image: NDArray[np.uint8]) -> Looks:
    """Measure `image` ((H, W, 3) uint8 RGB); a large one on a thinned copy, which keeps its colours as they are."""
    height, width = image.shape[:2]
    factor = (_MOST_PIXELS / (height * width)) ** 0.5
    if factor < 1:
        size = (max(16, round(width * factor)), max(16, round(height * factor)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    across = cv2.absdiff(image[:, 1:], image[:, :-1])
    step = np.maximum(np.maximum(across[:, :, 0], across[:, :, 1]), across[:, :, 2])  # ten times as fast as max(axis=2)
    high, wide = max(1, step.shape[0] // _TILE_PX), max(1, step.shape[1] // _TILE_PX)
    same = (step <= _SAME_LEVELS).astype(np.float32)
    even = cv2.resize(same, (wide, high), interpolation=cv2.INTER_AREA) >= _EVEN_SHARE
    x, y = _letters(step)
    tiles = np.minimum(y * high // step.shape[0], high - 1), np.minimum(x * wide // step.shape[1], wide - 1)
    return Looks(even=float(even.mean()), letters=int(even[tiles].sum()))


def _letters(step: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where blobs of sharp steps stand that are 4-40 px high, as wide as letters, and at least three close in a row."""
    sharp = (step > 60).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(sharp, connectivity=8)
    x, y, w, h = (stats[1:, column].astype(np.int32) for column in range(4))
    shaped = (h >= 4) & (h <= 40) & (w >= 2) & (w <= 3 * h)
    if not shaped.any():
        return x[:0], y[:0]
    order = np.lexsort((x[shaped], (y + h)[shaped] // 4))
    left, base, wide, high = x[shaped][order], (y + h)[shaped][order], w[shaped][order], h[shaped][order]
    gap = left[1:] - (left + wide)[:-1]
    smaller, larger = np.minimum(high[1:], high[:-1]), np.maximum(high[1:], high[:-1])
    joined = (gap >= -1) & (gap < 1.2 * smaller + 2) & (np.abs(base[1:] - base[:-1]) <= 4) & (larger <= 2 * smaller)
    before, after = np.append(False, joined), np.append(joined, False)  # joined to the blob before, to the one after
    middle = before & after
    word = middle | np.append(middle[1:], False) & after | np.append(False, middle[:-1]) & before
    return left[word], (base - high // 2)[word]
