"""The contract of a segmenter: an image goes in, regions come out.

Whoever adds a segmenter implements `Segmenter` and names it: in the tree by a line in `models.registry`, outside of it by
MARKWISE_SEGMENTERS (docs/segmenter.md). Nothing here computes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.regions import Regions, Rle

PIXELS_ONLY = "pixel-"
"""How the ids of regions begin that only pixels show, where the caller stated others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedRegion:
    """One region as a caller states it, in pixels of the displayed image; exactly one geometry is set.

    `polygon_px` is COCO's list of flat lists `[x0, y0, x1, y1, ...]`; `stroke_px` is a list of `[x, y]` points.
    """

    id: str | None = None
    bbox_xyxy_px: tuple[float, float, float, float] | None = None
    polygon_px: tuple[tuple[float, ...], ...] | None = None
    rle: Rle | None = None
    point_xy_px: tuple[float, float] | None = None
    stroke_px: tuple[tuple[float, float], ...] | None = None
    text: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRequest:
    """Everything besides the pixels that may steer a segmenter; `complete` are regions of the caller that need no reading.

    `levels` is a set of granularities, for a segmenter that learned them apart; others go by `granularity` alone.
    """

    granularity: int | None = None
    levels: tuple[int, ...] = ()
    provided: tuple[ProvidedRegion, ...] = ()
    complete: Regions | None = None
    accessibility_tree: Any = None
    device_pixel_ratio: float = 1.0


class Segmenter(Protocol):
    """Splits an image into regions. Deterministic: same pixels and request, same regions."""

    name: str
    version: str

    def segment(self, image: NDArray[np.uint8], request: SegmentRequest) -> Regions:
        """Return the regions of `image` ((H, W, 3) uint8 RGB); raises BadRegions or WeightsMissing."""
        ...


class BatchSegmenter(Segmenter, Protocol):
    """A segmenter that does several pictures better together than one by one; optional."""

    def segment_batch(self, images: Sequence[NDArray[np.uint8]], request: SegmentRequest) -> list[Regions]:
        """Return the regions of each of `images` under the same request, as `segment` would."""
        ...


@runtime_checkable
class LineReader(Protocol):
    """A segmenter that can also read all text of a picture, marked or not; optional."""

    def read_lines(
        self, image: NDArray[np.uint8], device_pixel_ratio: float = 1.0
    ) -> list[tuple[str, tuple[float, float, float, float]]]:
        """Return every line of text on `image` ((H, W, 3) uint8 RGB) with its box in pixels."""
        ...
