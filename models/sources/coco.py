"""COCO: instances, panoptic and captions of the same images, each image once with all that the files say.

Fields as COCO's data format page documents them; Objects365 and V3Det are published in the same form. Files are told
apart by their first annotation, so they may be given in any order, and several of one kind (train and val) are joined.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from models.facts import ImageFacts, ObjectFact
from models.sources.boxes import from_corner_and_size, size_hw
from models.sources.categories import Categories, categories_of, label_of
from models.sources.gathering import Gathering, Parts
from models.sources.left_out import coco_and_flickr, flickr_number
from models.sources.panoptic import Segments
from models.sources.records import BrokenFile, BrokenRecord, Fault, ImageReference, Reading, Record, Tools
from models.sources.streaming import entries, field, first_entry, is_list, words

IMAGE, CAPTIONS, INSTANCES, PANOPTIC = "image", "captions", "instances", "panoptic"


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoFile:
    """One file: what it holds, its categories by id, and whether it is a bare list of annotations."""

    path: Path
    part: str
    bare: bool
    categories: Categories


def read(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open COCO files; raises BrokenFile for one that is not COCO, or not whole."""
    files = [open_file(path) for path in paths]
    with Gathering(tools, paths) as gathering:
        for number, file in enumerate(files):
            for entry in entries(file.path, "images"):
                gathering.put(_name(entry, "id"), IMAGE, entry)
            for entry in entries(file.path, None if file.bare else "annotations"):
                gathering.put(_name(entry, "image_id"), str(number), entry)
    outlined = any(file.part == INSTANCES for file in files)
    segments = Segments(decode=tools.decode, stuff_only=outlined)

    def records() -> Iterator[Record | Fault]:
        for name, parts in gathering.groups():
            try:
                yield _record(name, parts, files, segments)
            except BrokenRecord as error:
                yield Fault(external_id=name, detail=str(error))

    return Reading(records=records, total=gathering.count())


def open_file(path: Path) -> CocoFile:
    """Find out what a COCO file holds; raises BrokenFile."""
    bare = is_list(path)
    annotation = first_entry(path, None if bare else "annotations")
    stated = annotation.keys() if isinstance(annotation, dict) else frozenset()
    if {"image_id", "caption"} <= stated:
        part = CAPTIONS
    elif not bare and {"image_id", "segments_info"} <= stated:
        part = PANOPTIC
    elif not bare and ({"image_id", "bbox"} <= stated or (annotation is None and first_entry(path, "images"))):
        part = INSTANCES
    else:
        raise BrokenFile(f"{path.name} is not a COCO file of instances, captions or panoptic segments.")
    return CocoFile(path=path, part=part, bare=bare, categories=categories_of(path))


def _name(entry: Any, key: str) -> str:
    """The image that an entry is about; entries that name none meet under a name of their own and become one fault."""
    found = entry.get(key) if isinstance(entry, dict) else None
    return f"(no {key})" if found is None else str(found)


def _record(name: str, parts: Parts, files: Sequence[CocoFile], segments: Segments) -> Record:
    images = parts.pop(IMAGE, None)
    if not images:
        known = next(iter(parts.values()))[0]
        number = known.get("id", "without id") if isinstance(known, dict) else "that is no object"
        raise BrokenRecord(f"annotation {number} is about an image that no file lists")
    image = images[0]
    size = size_hw(field(image, "width"), field(image, "height"))
    captions: list[str] = []
    objects: list[ObjectFact] = []
    for number, annotations in sorted(parts.items(), key=lambda part: int(part[0])):
        file = files[int(number)]
        if file.part == CAPTIONS:
            captions += [_caption(entry) for entry in annotations]
        elif file.part == INSTANCES:
            objects += [_object(entry, file.categories) for entry in annotations]
        else:
            objects += segments.objects(file.path, annotations, file.categories, size)
    if len({item.id for item in objects}) != len(objects):
        raise BrokenRecord("two annotations of the image carry the same id")
    return Record(
        external_id=name,
        image=ImageReference(file_name=words(image, "file_name"), url=words(image, "coco_url", "url")),
        facts=ImageFacts(size_hw=size, captions=tuple(dict.fromkeys(captions)), objects=tuple(objects)),
        aliases=coco_and_flickr(_coco_id(image, name), flickr_number(words(image, "flickr_url"))),
    )


def _coco_id(image: Mapping[str, Any], name: str) -> str | None:
    """COCO's own number; its file names end with it in twelve digits, which tells them from other files of this form."""
    return name if PurePosixPath(words(image, "file_name") or "").stem.endswith(f"{name:0>12}") else None


def _caption(entry: Any) -> str:
    """COCO's captions carry stray blanks and line ends at their ends."""
    return str(field(entry, "caption")).strip()


def _object(entry: Any, categories: Categories) -> ObjectFact:
    name = str(field(entry, "id"))
    try:
        return ObjectFact(
            id=name,
            label=label_of(entry, categories),
            bbox_xyxy_px=from_corner_and_size(field(entry, "bbox")),
            outline=_outline(entry.get("segmentation")),
            crowd=bool(entry.get("iscrowd")),
        )
    except BrokenRecord as error:
        raise BrokenRecord(f"annotation {name}: {error}") from None


def _outline(stated: Any) -> list[list[float]] | dict[str, Any] | None:
    """Polygons or run lengths as they stand; detection files leave them empty."""
    if not stated:
        return None
    if isinstance(stated, dict) or (isinstance(stated, list) and all(isinstance(ring, list) for ring in stated)):
        return stated
    raise BrokenRecord("`segmentation` must be polygons or run lengths")
