"""Open Images: boxes, class descriptions, relationships and attributes from their CSV files, by image.

Boxes are shares of the picture and no file states its size, so records are in fractions. A relationship names classes and
boxes, not objects: each end is paired with the object of its class that overlaps most, and is dropped where none does by
half (MMGiC F.1 pairs by the largest IoU; the limit is ours). The relationship `is` states an attribute.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.boxes import iou
from models.facts import Box, ImageFacts, ObjectFact, RelationFact
from models.sources.boxes import number
from models.sources.gathering import Gathering, Parts
from models.sources.records import BrokenFile, BrokenRecord, Fault, ImageReference, Reading, Record, Tools
from models.sources.tables import columns, plain_rows, rows

BOXES, RELATIONS, IMAGES, CLASSES = "boxes", "relations", "images", "classes"
# Two spellings are in use for the same column.
PREDICATE = ("RelationshipLabel", "RelationLabel")
ATTRIBUTE = "is"
LEAST_IOU = 0.5


def read(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open CSV files of Open Images; raises BrokenFile for one that is none of them, or without boxes and names."""
    parts = {path: part_of(path) for path in paths}
    if not {BOXES, CLASSES} <= set(parts.values()):
        raise BrokenFile("Open Images needs a CSV of boxes and the CSV of class descriptions, which names the classes.")
    names = {
        row[0]: row[1].strip() for path in paths if parts[path] == CLASSES for row in plain_rows(path) if len(row) > 1
    }
    with Gathering(tools, paths) as gathering:
        for path, part in parts.items():
            if part != CLASSES:
                for row in rows(path):
                    gathering.put(row.get("ImageID") or "(no ImageID)", part, row)

    def records() -> Iterator[Record | Fault]:
        for name, found in gathering.groups():
            # The list of images names millions without a box.
            if set(found) - {IMAGES}:
                try:
                    yield _record(name, found, names)
                except BrokenRecord as error:
                    yield Fault(external_id=name, detail=str(error))

    return Reading(records=records, total=gathering.count(beside=IMAGES))


def part_of(path: Path) -> str:
    """Which file of Open Images this is, by its columns; raises BrokenFile."""
    found = columns(path)
    stated = set(found)
    if {"ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax"} <= stated:
        return BOXES
    if {"ImageID", "LabelName1", "LabelName2", "XMin1", "XMin2"} <= stated and stated & set(PREDICATE):
        return RELATIONS
    if {"ImageID", "OriginalURL"} <= stated:
        return IMAGES
    if len(found) == 2 and found[0].startswith("/"):  # class and attribute descriptions have no header
        return CLASSES
    if found == ["LabelName", "DisplayName"]:
        return CLASSES
    raise BrokenFile(
        f"{path.name} is not a CSV of Open Images: boxes, relationships, image ids with URLs, or class descriptions."
    )


def _record(name: str, parts: Parts, names: Mapping[str, str]) -> Record:
    image = parts[IMAGES][0] if IMAGES in parts else {}
    objects = [_object(row, number_, names) for number_, row in enumerate(parts.get(BOXES, ()))]
    relations: list[RelationFact] = []
    for row in parts.get(RELATIONS, ()):
        _relate(row, objects, relations, names)
    return Record(
        external_id=name,
        image=ImageReference(
            file_name=f"{name}.jpg", url=image.get("Thumbnail300KURL") or image.get("OriginalURL") or None
        ),
        facts=ImageFacts(size_hw=(1, 1), objects=tuple(objects), relations=tuple(dict.fromkeys(relations))),
        fractions=True,
    )


def _object(row: Mapping[str, str], index: int, names: Mapping[str, str]) -> ObjectFact:
    try:
        return ObjectFact(
            id=str(index),
            label=_class(row.get("LabelName"), names),
            bbox_xyxy_px=_box(row, ""),
            crowd=row.get("IsGroupOf") == "1",
        )
    except BrokenRecord as error:
        raise BrokenRecord(f"box {index}: {error}") from None


def _relate(
    row: Mapping[str, str], objects: list[ObjectFact], relations: list[RelationFact], names: Mapping[str, str]
) -> None:
    """Add what a row states, a relation or an attribute; a row whose ends are not among the boxes adds nothing."""
    predicate = next((row[name] for name in PREDICATE if row.get(name)), "").replace("_", " ").strip()
    subject = _paired(row, "1", objects, names)
    if subject is None or not predicate:
        return
    if predicate == ATTRIBUTE:
        item = objects[subject]
        word = _class(row.get("LabelName2"), names)
        objects[subject] = replace(item, attributes=tuple(dict.fromkeys([*item.attributes, word])))
        return
    other = _paired(row, "2", objects, names)
    if other is not None:
        relations.append(RelationFact(subject=str(subject), predicate=predicate, object=str(other)))


def _paired(row: Mapping[str, str], end: str, objects: Sequence[ObjectFact], names: Mapping[str, str]) -> int | None:
    label, box = _class(row.get(f"LabelName{end}"), names), _box(row, end)
    overlaps = [(iou(box, item.bbox_xyxy_px), -index) for index, item in enumerate(objects) if item.label == label]
    best = max(overlaps, default=(0.0, 0))
    return -best[1] if best[0] >= LEAST_IOU else None


def _class(code: Any, names: Mapping[str, str]) -> str:
    if code not in names:
        raise BrokenRecord(f"the class {code} has no description")
    return names[code]


def _box(row: Mapping[str, str], end: str) -> Box:
    x0, x1, y0, y1 = (number(row.get(f"{side}{end}"), f"{side}{end}") for side in ("XMin", "XMax", "YMin", "YMax"))
    return x0, y0, x1, y1
