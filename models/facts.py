"""What people already know about an image: captions, objects, attributes, relations, described regions.

Importers fill it from published annotation files, the catalog keeps it as JSON, writers turn it into training texts.
Knows nothing of files, of SQL, of marks or of how a text is worded.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from models.errors import BadRegions

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectFact:
    """One annotated object. `id` is unique in its image; the box is half-open, in pixels of the displayed image.

    `outline` is the mask where the source has one: COCO's flat polygons or a run-length dict, as in the COCO files.
    """

    id: str
    label: str
    bbox_xyxy_px: Box
    outline: list[list[float]] | dict[str, Any] | None = None
    synset: str | None = None
    attributes: tuple[str, ...] = ()
    crowd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationFact:
    """`subject predicate object`, both ends being ids of objects of the same image."""

    subject: str
    predicate: str
    object: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFact:
    """A phrase about a part of the image, in pixels of the displayed image."""

    text: str
    bbox_xyxy_px: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """All that one source says about one image of `size_hw` = (height, width)."""

    size_hw: tuple[int, int]
    captions: tuple[str, ...] = ()
    objects: tuple[ObjectFact, ...] = ()
    relations: tuple[RelationFact, ...] = ()
    regions: tuple[RegionFact, ...] = ()

    def __post_init__(self) -> None:
        """Check that names are unique and relations point at objects; raises BadRegions."""
        ids = [item.id for item in self.objects]
        if len(set(ids)) != len(ids):
            raise BadRegions("two objects of one image carry the same id")
        for relation in self.relations:
            if missing := {relation.subject, relation.object}.difference(ids):
                raise BadRegions(f"a relation names the object {min(missing)!r}, which the image does not have")

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values that `from_json` reads back to an equal value."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; raises BadRegions, KeyError or TypeError on anything else."""
        height, width = body["size_hw"]
        return cls(
            size_hw=(int(height), int(width)),
            captions=tuple(body["captions"]),
            objects=tuple(
                ObjectFact(
                    **{**item, "bbox_xyxy_px": _box(item["bbox_xyxy_px"]), "attributes": tuple(item["attributes"])}
                )
                for item in body["objects"]
            ),
            relations=tuple(RelationFact(**item) for item in body["relations"]),
            regions=tuple(
                RegionFact(text=item["text"], bbox_xyxy_px=_box(item["bbox_xyxy_px"])) for item in body["regions"]
            ),
        )


def _box(values: Any) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom
