"""How a run marks its pictures: which regions, in which style, how many. None of it means a run without tags.

SoM's ablations are other values here: boxes drawn as well (`style`), masks of people instead of a segmenter's (`golden`), the
label off the middle of its region (`style`); so are granularity (the segmenter's) and tag density (`max_marks`). Knows no question.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadEvaluation
from models.marks import STYLES, Marking, MarkStyle, mark, paint, paint_marking_for_model, place
from models.regions import Regions
from models.vlm.types import VlmBackend

Picture = NDArray[np.uint8]  # (H, W, 3) RGB
Segment = Callable[[Picture], Regions]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """`segment` finds regions; with `golden`, regions that a question brings with it are taken instead."""

    segment: Segment
    style: MarkStyle = STYLES["som-llava"]
    max_marks: int | None = None
    golden: bool = True

    def regions(self, picture: Picture, given: Sequence[Mapping[str, Any]] | None = None) -> Regions:
        """Return the regions to mark. Raises BadEvaluation for a region that cannot be read, and what `segment` raises."""
        if given is not None and self.golden:
            return regions_of(given, (picture.shape[0], picture.shape[1]))
        return self.segment(picture)

    def place(self, picture: Picture, regions: Regions) -> Marking:
        """Return the marks of these regions."""
        return place(regions, self.style, max_marks=self.max_marks, image=picture)

    def marked(self, picture: Picture, given: Sequence[Mapping[str, Any]] | None = None) -> Picture:
        """Return the picture marked at its own size, for people."""
        regions = self.regions(picture, given)
        return paint(picture, regions, self.place(picture, regions))

    def painted(
        self, picture: Picture, backend: VlmBackend, given: Sequence[Mapping[str, Any]] | None = None
    ) -> Picture:
        """Return the picture marked as this model is shown marks."""
        regions = self.regions(picture, given)
        if backend.input_px is None:
            return mark(picture, regions, self.style, max_marks=self.max_marks)[0]
        return self.shown(picture, regions, self.place(picture, regions), backend)

    def shown(self, picture: Picture, regions: Regions, marking: Marking, backend: VlmBackend) -> Picture:
        """Return the picture with marks that are placed already, as this model is shown them."""
        if backend.input_px is None:
            return paint(picture, regions, marking)
        return paint_marking_for_model(picture, regions, marking, backend.input_px)


def regions_of(rows: Sequence[Mapping[str, Any]], size_hw: tuple[int, int]) -> Regions:
    """Return the regions of rows {id, rle | polygon_px | bbox_xyxy_px, text, role}; raises BadEvaluation."""
    try:
        each = [_region(row, str(row.get("id", number)), size_hw) for number, row in enumerate(rows, 1)]
    except (ValueError, TypeError, KeyError) as exc:
        raise BadEvaluation(f"a question holds a region that cannot be read: {exc}") from exc
    return Regions.concat(*each) if each else Regions.empty(size_hw)


def _region(row: Mapping[str, Any], name: str, size_hw: tuple[int, int]) -> Regions:
    told: dict[str, Any] = {"texts": [row.get("text")], "roles": [row.get("role")], "ids": [name]}
    if row.get("rle") is not None:
        return Regions.from_rles(size_hw, [row["rle"]], **told)
    if row.get("polygon_px") is not None:
        return Regions.from_polygons(size_hw, [row["polygon_px"]], **told)
    return Regions.from_boxes(size_hw, [row["bbox_xyxy_px"]], **told)
