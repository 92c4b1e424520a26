"""How a request asks for marks, and changes them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Discriminator, Field, Tag, model_validator

from app.http.schemas.free_form import NotTooDeep
from app.http.schemas.images import ImageRef, Strict

SegmenterName = Literal[
    "auto", "gui", "regions", "provided", "sam", "sam2", "sam-hq", "semantic-sam", "mask2former", "oneformer",
    "seem", "maskdino",
]  # fmt: skip
OwnSegmenterName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$", description="A segmenter of the operator's (MARKWISE_SEGMENTERS).")
]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]

# What models.segmenters.accessibility reads; longer than any real page's.
MAX_TREE_CHARS = 4_000_000
TREE_FORMS = """Elements of the interface, as the browser knows them, taken in the window that the image shows. One of:

- Playwright's text, `page.aria_snapshot(mode="ai", boxes=True)`. `region_id` is the ref, so that
  `page.locator(f"aria-ref={region_id}")` is the element. Boxes are whole CSS pixels.
- `{"nodes", "documents", "strings", "computedStyles"}`: CDP `Accessibility.getFullAXTree` and
  `DOMSnapshot.captureSnapshot`, with the list of computed styles that were asked for (`visibility`, `opacity`,
  `overflow-x`, `position`, `background-color`), `includePaintOrder` and `includeDOMRects`. Leaves out what is invisible,
  clipped or covered; knows scrolling, frames and full-page screenshots. `region_id` is the backendDOMNodeId. Without
  `nodes`, roles and names come from the tags.
- `{"nodes", "boxes"}`: getFullAXTree, and backendDOMNodeId -> `[x0, y0, x1, y1]`, `{"x", "y", "width", "height"}` or
  what DOM.getBoxModel returned.
- Nested `{"role", "name", "id", "bbox" | "bbox_xyxy_px", "hidden", "children"}`; `bbox` in CSS pixels.

`segmenter: "provided"` marks the tree's elements alone. `"gui"` adds what pixels show and the tree lacks: the tree wins
in place, role and name. `"auto"` is `provided`, but `gui` where the tree has no element in the image or a canvas, video,
plugin or closed frame takes a tenth of it."""
REGION_FORMS = """A list of regions; or a whole document about this image as `GET /v1/marksets/{id}/export` or another tool
wrote it: a COCO object (`annotations`), a LabelMe object (`shapes`), or YOLO rows as text. COCO and LabelMe documents of
ours come back equal, ids, texts, roles, scores and click points included; classes of others become texts."""


class RleIn(Strict):
    """COCO's compressed run-length encoding of a mask."""

    size: tuple[Annotated[int, Field(ge=1, le=16384)], Annotated[int, Field(ge=1, le=16384)]]
    counts: str = Field(max_length=2_000_000)


class RegionIn(Strict):
    """One provided region: exactly one geometry, in pixels of the displayed image."""

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    bbox_xyxy_px: tuple[Finite, Finite, Finite, Finite] | None = None
    polygon_px: list[Annotated[list[Finite], Field(min_length=6, max_length=20_000)]] | None = Field(
        default=None, min_length=1, max_length=100
    )
    rle: RleIn | None = None
    point_xy_px: tuple[Finite, Finite] | None = None
    stroke_px: list[tuple[Finite, Finite]] | None = Field(default=None, min_length=1, max_length=10_000)
    text: Annotated[str, Field(max_length=2000)] | None = None
    role: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _one_geometry(self) -> "RegionIn":
        given = [self.bbox_xyxy_px, self.polygon_px, self.rle, self.point_xy_px, self.stroke_px]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of bbox_xyxy_px, polygon_px, rle, point_xy_px, stroke_px")
        return self


def _form_of(value: Any) -> str:
    return "(document)" if isinstance(value, dict) else "(rows)" if isinstance(value, str) else "(list)"


# Told apart by JSON type, so that a fault in a list is reported as that alone.
Regions = Annotated[
    Annotated[list[RegionIn], Field(max_length=5000), Tag("(list)")]
    | Annotated[dict[str, Any], NotTooDeep, Tag("(document)")]
    | Annotated[str, Field(max_length=20_000_000), Tag("(rows)")],
    Discriminator(_form_of),
]


class MarksIn(Strict):
    """The settings of a mark set, without the image."""

    segmenter: SegmenterName | OwnSegmenterName | None = None
    granularity: Annotated[int, Field(ge=1, le=6)] | None = None
    style: Annotated[str, Field(max_length=100)] | Annotated[dict[str, Any], NotTooDeep] = "markwise"
    regions: Regions | None = Field(default=None, description=REGION_FORMS)
    accessibility_tree: Annotated[
        dict[str, Any] | list[Any] | Annotated[str, Field(max_length=MAX_TREE_CHARS)] | None, NotTooDeep
    ] = Field(default=None, description=TREE_FORMS)
    device_pixel_ratio: Annotated[float, Field(gt=0, le=8)] = Field(
        default=1.0, description="Image pixels per CSS pixel; a DOM snapshot tells its own."
    )
    previous_mark_set_id: UUID | None = None
    max_marks: Annotated[int, Field(ge=1, le=1000)] | None = None


class MarkSetIn(MarksIn):
    """`POST /v1/marksets`; with multipart the picture is the part `file`."""

    image: ImageRef | None = None


class MarkPatchIn(Strict):
    """`PATCH /v1/marksets/{id}/marks/{mark}`: what a person corrected."""

    bbox_xyxy_px: tuple[Finite, Finite, Finite, Finite] | None = None
    text: Annotated[str, Field(max_length=2000)] | None = None
    role: Annotated[str, Field(max_length=100)] | None = None

    @model_validator(mode="after")
    def _something(self) -> "MarkPatchIn":
        if not self.model_fields_set:
            raise ValueError("give at least one of bbox_xyxy_px, text, role")
        return self


MarkId = Annotated[str, Field(min_length=1, max_length=20)]
XY = tuple[Finite, Finite]


class DeleteMarksIn(Strict):
    """Take marks away; the regions stay in the revision before."""

    op: Literal["delete"]
    marks: list[MarkId] = Field(min_length=1, max_length=1000)


class MergeMarksIn(Strict):
    """Make one mark of several: the union of their regions, with `text` or else their texts in this order."""

    op: Literal["merge"]
    marks: list[MarkId] = Field(min_length=2, max_length=1000)
    text: Annotated[str, Field(max_length=2000)] | None = None


class SplitMarkIn(Strict):
    """Cut a mark along a line, or without one into its separate parts."""

    op: Literal["split"]
    mark: MarkId
    line_px: list[XY] | None = Field(default=None, min_length=2, max_length=10_000)


class AddMarkIn(Strict):
    """Add a region; with `replaces` in place of marks, whose id, text and role it takes over where it has none of its own."""

    op: Literal["add"]
    region: RegionIn
    replaces: list[MarkId] = Field(default_factory=list, max_length=1000)


RevisionIn = Annotated[DeleteMarksIn | MergeMarksIn | SplitMarkIn | AddMarkIn, Field(discriminator="op")]
