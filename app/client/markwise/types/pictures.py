"""Images and the marks on them. Geometry is in pixels of the image as it is displayed, origin top left."""

from typing import Any

from markwise.types.body import Body, Box, Point


class Image(Body):
    """An image that the service knows."""

    id: str
    object: str
    sha256: str
    media_type: str
    width: int
    height: int
    bytes: int
    labels: list[str]
    created_at: str


class LabelCount(Body):
    """A label and how many images carry it."""

    label: str
    images: int


class Relabelled(Body):
    """How many images have other labels now."""

    object: str
    changed: int


class Kept(Body):
    """An image that was not deleted, and why."""

    id: str
    reason: str


class Deleted(Body):
    """What became of images that were to go."""

    object: str
    deleted: list[str]
    missing: list[str]
    kept: list[Kept]


class Mark(Body):
    """A mark and the region it stands for; `rle` (COCO's) is there when masks were asked for."""

    id: str
    region_id: str
    bbox_xyxy_px: Box
    bbox_xyxy_norm: Box
    point_xy_px: Point
    occluded: bool
    label_xy_px: Point
    label_bbox_xyxy_px: Box
    leader: list[float] | None
    area_px: int
    score: float
    text: str | None
    role: str | None
    lookalike: bool
    rle: dict[str, Any] | None = None


class Caution(Body):
    """Something to know before acting on a picture."""

    kind: str
    text: str
    bbox_xyxy_px: Box
    mark: str | None


class ImageOfMarkSet(Body):
    """The image of a mark set, in short."""

    id: str
    sha256: str
    width: int
    height: int


class Segmenter(Body):
    """What found the regions."""

    name: str
    version: str
    granularity: int | None


class MarkSet(Body):
    """The marks of one image, from one segmenter at one setting."""

    id: str
    object: str
    image: ImageOfMarkSet
    segmenter: Segmenter
    style: str | dict[str, Any]
    marks: list[Mark]
    omitted_regions: int
    warnings: list[Caution]
    overlay_url: str
    cached: bool
    created_at: str

    def mark(self, mark_id: str) -> Mark:
        """Return a mark by its id; raises KeyError."""
        for each in self.marks:
            if each.id == mark_id:
                return each
        raise KeyError(mark_id)
