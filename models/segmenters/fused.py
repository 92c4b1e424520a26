"""The `gui` segmenter with what the caller knows: an accessibility tree wins, pixels add what it lacks.

Named by `models.registry`. Without a tree and without regions it is the plain `gui` segmenter. The rules:

1. Every region that the caller states stays, with its id, place, role and name; one without a name takes the text that
   is read on it.
2. What pixels show is dropped if the tree has it: it is the same box (IoU of at least 0.5), it lies in a stated region
   that is no picture (0.6 of it), or it lies round one.
3. It is kept where the tree is silent: outside all stated regions, and in pictures, canvases and closed frames of at
   least 48 px, of which a tree tells the outside only.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.protocols import PIXELS_ONLY, Segmenter, SegmentRequest
from models.regions import Regions
from models.segmenters.accessibility.roles import BLIND, PICTURES
from models.segmenters.gui import GuiSegmenter
from models.segmenters.ocr import Box
from models.segmenters.provided import ProvidedSegmenter

_SAME, _INSIDE, _SMALLEST_PICTURE_PX = 0.5, 0.6, 48

Boxes = NDArray[np.float32]  # (N, 4)
Shares = NDArray[np.float64]  # (N, M)


class FusedGuiSegmenter:
    """Screenshots from pixels, and from an accessibility tree where there is one; deterministic."""

    name = "gui"

    def __init__(self, pixels: Segmenter | None = None) -> None:
        """Read pixels by `pixels`, the `gui` segmenter by default."""
        self._pixels = pixels or GuiSegmenter()
        self._stated = ProvidedSegmenter()
        self.version = self._pixels.version

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return the stated regions of `image` ((H, W, 3) uint8 RGB) and behind them what only pixels show."""
        seen = self._pixels.segment(image, request)
        if request.accessibility_tree is None and request.complete is None and not request.provided:
            return seen
        return fuse(self._stated.segment(image, request), seen)

    def read_lines(self, image: NDArray[np.uint8], device_pixel_ratio: float = 1.0) -> list[tuple[str, Box]]:
        """Return every line of text on `image` with its box in its pixels; what was read for the marks is remembered."""
        return self._pixels.read_lines(image, device_pixel_ratio) if isinstance(self._pixels, GuiSegmenter) else []


def fuse(stated: Regions, seen: Regions) -> Regions:
    """Return all `stated` regions, then those of `seen` (ids `pixel-<index>`) that they lack; both on one frame."""
    if not len(stated):
        return seen
    same, seen_inside, stated_inside = overlaps(seen.boxes_xyxy_px, stated.boxes_xyxy_px)
    picture = np.array([_is_picture(role) for role in stated.roles], np.bool_)
    sides = stated.boxes_xyxy_px[:, 2:] - stated.boxes_xyxy_px[:, :2]
    open_inside = picture & (sides.min(axis=1) >= _SMALLEST_PICTURE_PX)
    known = (same >= _SAME) | ((seen_inside >= _INSIDE) & ~open_inside) | ((stated_inside >= _INSIDE) & ~open_inside)
    kept = np.flatnonzero(~known.any(axis=1))
    texts = list(stated.texts)
    for index, text in enumerate(texts):
        if text is None and not picture[index]:
            parts = np.flatnonzero((same[:, index] >= _SAME) | (seen_inside[:, index] >= _INSIDE))
            texts[index] = " ".join(word for part in parts if (word := seen.texts[part])) or None
    added = seen.take(kept)
    taken = set(stated.ids)
    names = tuple(_free(f"{PIXELS_ONLY}{index}", taken) for index in kept)
    return Regions.concat(replace(stated, texts=tuple(texts)), replace(added, ids=names))


def overlaps(seen: Boxes, stated: Boxes) -> tuple[Shares, Shares, Shares]:
    """Return (N, M) IoU, the share of each seen box in each stated one, and the share of each stated in each seen."""
    one, other = seen[:, None, :].astype(np.float64), stated[None, :, :].astype(np.float64)
    wide = np.clip(np.minimum(one[..., 2], other[..., 2]) - np.maximum(one[..., 0], other[..., 0]), 0, None)
    high = np.clip(np.minimum(one[..., 3], other[..., 3]) - np.maximum(one[..., 1], other[..., 1]), 0, None)
    both = wide * high
    area = np.maximum((one[..., 2] - one[..., 0]) * (one[..., 3] - one[..., 1]), 1e-9)
    other_area = np.maximum((other[..., 2] - other[..., 0]) * (other[..., 3] - other[..., 1]), 1e-9)
    return both / (area + other_area - both), both / area, both / other_area


def _is_picture(role: str | None) -> bool:
    return role in PICTURES or role in BLIND


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    return name
