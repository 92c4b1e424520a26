"""Chooses a segmenter by looking at the pixels: `gui` for screenshots, `regions` for photos and drawings.

Called through `models.registry` for the segmenter name `auto`. Costs about 10 ms whatever the image's size. Knows only
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
# A canvas of a tenth of the picture holds things to click that no tree tells; smaller ones are charts and signatures.
_BLIND_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the choice rests on; shares are 0-1.

    `flat`: neighbours that are the same colour. `common`: pixels in the eight most frequent colours. `glyphs`: number
    of blobs of sharp contrast that have the size and shape of letters.
    """

    flat: float
    common: float
    glyphs: int


def choose(image: NDArray[np.uint8]) -> str:
    """Return `gui` or `regions` for `image` ((H, W, 3) uint8 RGB)."""
    if min(image.shape[:2]) < 16:
        return "regions"
    looks = look(image)
    # Measured on 16 pages, 40 drawn screens, 60 drawn scenes, 95 photos: pages have flat >= .90 and common >= .73,
    # photos flat <= .84 with .76 once; a page with photos in it loses flatness but keeps its letters.
    even = looks.flat + 0.5 * looks.common
    lettered = looks.glyphs >= 24
    return "gui" if even >= 1.15 and looks.flat >= 0.7 and lettered else "regions"


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
    step = np.maximum(np.maximum(across[:, :, 0], across[:, :, 1]), across[:, :, 2])
    codes = (image[::3, ::3].reshape(-1, 3) >> 2).astype(np.int32) @ np.array([4096, 64, 1], np.int32)
    counts = np.sort(np.bincount(codes))[::-1]
    return Looks(
        flat=float((step <= 2).mean()), common=float(counts[:8].sum() / len(codes)), glyphs=_count_glyphs(step)
    )


def _count_glyphs(step: NDArray[np.uint8]) -> int:
    """Blobs of sharp steps (H, W - 1) that are 4-40 px high, 2 px to three heights wide and stand in a row of others."""
    sharp = (step > 60).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(sharp, connectivity=8)
    x, y, w, h = stats[1:, 0], stats[1:, 1], stats[1:, 2], stats[1:, 3]
    letters = (h >= 4) & (h <= 40) & (w >= 2) & (w <= 3 * h)
    order = np.lexsort((x[letters], (y + h)[letters] // 4))
    left, base, high = x[letters][order], (y + h)[letters][order], h[letters][order]
    if len(left) < 2:
        return 0
    gap = left[1:] - left[:-1]
    near = (gap > 0) & (gap < 2.5 * high[1:]) & (np.abs(base[1:] - base[:-1]) <= 4)
    return int(near.sum())
