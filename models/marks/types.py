"""The values that marking returns: a mark, a marking (all marks of one image), and what a later marking may start from.

Workers store them, the HTTP layer renders them. Knows no pixels and no drawing.
"""

from dataclasses import dataclass

from models.marks.presets import MarkStyle
from models.regions import Regions

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A label tied to one region; all geometry in pixels of the image, half-open boxes.

    `point_xy_px` lies in the region's visible part and under no label, or, where `occluded`, anywhere in the region.
    `leader` runs from the label to the region and is set only where the label stands off the region.
    """

    id: str
    region_index: int
    region_id: str
    bbox_xyxy_px: Box
    point_xy_px: tuple[float, float]
    occluded: bool
    label_xy_px: tuple[float, float]
    label_bbox_xyxy_px: Box
    leader: Box | None
    area_px: int
    score: float
    text: str | None
    role: str | None
    color_rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """All marks of one image in mark order, with the number of regions that got none."""

    marks: tuple[Mark, ...]
    omitted_regions: int
    style: MarkStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """An earlier marking and the regions its `region_index` points into; regions found again keep their ids."""

    regions: Regions
    marking: Marking
