"""Regions that a caller states as prompts for a promptable model: who is asked, and what stays of the statement.

Called by `sam` and `semantic_sam`, which answer the prompts themselves. Knows no network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models import rle
from models.protocols import ProvidedRegion, SegmentRequest
from models.regions import Regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """The mask of one prompt on the whole picture, and its predicted IoU."""

    runs: rle.Runs
    score: float


Asked = Sequence[tuple[ProvidedRegion, Regions]]
"""Stated regions that have pixels in the picture, each with what it covers as it stands."""


def prompted_regions(
    image: NDArray[np.uint8], provided: Sequence[ProvidedRegion], answer: Callable[[Asked], Sequence[Prompted]]
) -> Regions:
    """Return one region of `image` ((H, W, 3) uint8 RGB) per provided one that lies in it, in their order.

    Ids, texts and roles stay; a point stays the place to click where the mask holds it. Where the mask has no pixel the
    region is what was stated. Raises BadRegions.
    """
    from models.registry import segmenter

    stated = segmenter("provided")
    stated.segment(image, SegmentRequest(provided=tuple(provided)))  # names the region that cannot be meant
    named = [replace(region, id=str(i) if region.id is None else region.id) for i, region in enumerate(provided)]
    shapes = [(region, stated.segment(image, SegmentRequest(provided=(region,)))) for region in named]
    inside = [(region, shape) for region, shape in shapes if len(shape)]
    size_hw = (image.shape[0], image.shape[1])
    if not inside:
        return Regions.empty(size_hw)
    parts = [
        _found(region, shape, prompted, size_hw) if rle.area_of(prompted.runs) else shape
        for (region, shape), prompted in zip(inside, answer(inside), strict=True)
    ]
    return Regions.concat(*parts)


def _found(region: ProvidedRegion, shape: Regions, prompted: Prompted, size_hw: tuple[int, int]) -> Regions:
    return Regions.from_rles(
        size_hw,
        [{"size": list(size_hw), "counts": rle.write_counts(prompted.runs)}],
        scores=np.clip([prompted.score], 0, 1),
        texts=[region.text],
        roles=[region.role],
        ids=shape.ids,
        points=[_inside(region, prompted.runs, size_hw[0])],
    )


def _inside(region: ProvidedRegion, runs: rle.Runs, height: int) -> tuple[float, float] | None:
    """The caller's own point where the mask holds it: the place to click."""
    if region.point_xy_px is None:
        return None
    x, y = region.point_xy_px
    place = int(x) * height + int(y)
    starts, ends = rle.spans(runs)
    return (x, y) if ((starts <= place) & (place < ends)).any() else None
