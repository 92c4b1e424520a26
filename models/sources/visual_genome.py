"""Visual Genome: objects (v1.4), attributes (v1.2), relationships (v1.4), region descriptions and image data, by image.

Attributes and relationships name objects by ids of older releases, which v1.4 lists as `merged_object_ids`; both are
followed. Captions of COCO may be given too: image data says which COCO image a picture is. Files are told apart by
their first entry, so any of them may be left out, but not image data: it alone has the sizes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from models.facts import ImageFacts, ObjectFact, RegionFact, RelationFact
from models.sources.boxes import from_corner_and_size, size_hw
from models.sources.gathering import Gathering, Parts
from models.sources.left_out import coco_and_flickr
from models.sources.records import BrokenFile, BrokenRecord, Fault, ImageReference, Reading, Record, Tools
from models.sources.streaming import entries, field, first_entry, is_list, words

IMAGE, CAPTIONS = "image", "captions"
# Which list an entry carries tells what its file is.
LISTS = ("objects", "attributes", "relationships", "regions")


def read(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open files of Visual Genome; raises BrokenFile for one that is none of them, or without image data."""
    parts = {path: part_of(path) for path in paths}
    if IMAGE not in parts.values():
        raise BrokenFile("Visual Genome needs image_data.json, which alone has the sizes of the pictures.")
    own_name: dict[str, list[str]] = {}
    with Gathering(tools, paths) as gathering:
        for path in sorted(paths, key=lambda one: parts[one] != IMAGE):
            part = parts[path]
            for entry in entries(path, "annotations" if part == CAPTIONS and not is_list(path) else None):
                if part == IMAGE and isinstance(entry, dict) and entry.get("coco_id") is not None:
                    own_name.setdefault(str(entry["coco_id"]), []).append(_name(entry))
                for name in own_name.get(str(entry.get("image_id")), ()) if part == CAPTIONS else (_name(entry),):
                    gathering.put(name, part, entry)

    def records() -> Iterator[Record | Fault]:
        for name, found in gathering.groups():
            try:
                yield _record(name, found)
            except BrokenRecord as error:
                yield Fault(external_id=name, detail=str(error))

    return Reading(records=records, total=gathering.count())


def part_of(path: Path) -> str:
    """Which file of Visual Genome this is, by its first entry; raises BrokenFile."""
    entry = first_entry(path, None if is_list(path) else "annotations")
    if isinstance(entry, dict):
        if "caption" in entry:
            return CAPTIONS
        for part in LISTS:
            if isinstance(entry.get(part), list):
                return part
        if {"width", "height", "image_id"} <= entry.keys():
            return IMAGE
    raise BrokenFile(
        f"{path.name} is not a file of Visual Genome: objects, attributes, relationships, region_descriptions or"
        " image_data (or captions of COCO)."
    )


def _name(entry: Any) -> str:
    """The image of an entry: `image_id`, in region descriptions and older releases `id`."""
    found = (entry.get("image_id") or entry.get("id")) if isinstance(entry, dict) else None
    return "(no image_id)" if found is None else str(found)


def _record(name: str, parts: Parts) -> Record:
    if IMAGE not in parts:
        raise BrokenRecord("image_data does not list this image")
    image = parts[IMAGE][0]
    objects = [_object(entry) for entry in _listed(parts, "objects")]
    kept = {item.id: item for item in objects}
    if len(kept) != len(objects):
        raise BrokenRecord("two objects of the image carry the same object_id")
    older = {
        str(old): str(entry["object_id"])
        for entry in _listed(parts, "objects")
        for old in entry.get("merged_object_ids") or ()
    }
    for entry in _listed(parts, "attributes"):
        name_of_object = _known(str(field(entry, "object_id", "id")), kept, older)
        if name_of_object is not None:
            item = kept[name_of_object]
            stated = [str(word).strip() for word in entry.get("attributes") or () if str(word).strip()]
            kept[name_of_object] = replace(item, attributes=tuple(dict.fromkeys([*item.attributes, *stated])))
    return Record(
        external_id=name,
        image=ImageReference(file_name=_file_name(words(image, "url")), url=words(image, "url")),
        facts=ImageFacts(
            size_hw=size_hw(field(image, "width"), field(image, "height")),
            captions=tuple(dict.fromkeys(str(field(entry, "caption")).strip() for entry in parts.get(CAPTIONS, ()))),
            objects=tuple(kept.values()),
            relations=tuple(dict.fromkeys(_relations(_listed(parts, "relationships"), kept, older))),
            regions=tuple(_region(entry) for entry in _listed(parts, "regions")),
        ),
        aliases=coco_and_flickr(image.get("coco_id"), image.get("flickr_id")),
    )


def _listed(parts: Parts, part: str) -> Iterator[Any]:
    for entry in parts.get(part, ()):
        yield from field(entry, part)


def _known(name: str, kept: dict[str, ObjectFact], older: dict[str, str]) -> str | None:
    """The object that an id means today, or None where v1.4 dropped it."""
    found = older.get(name, name)
    return found if found in kept else None


def _object(entry: Any) -> ObjectFact:
    name = str(field(entry, "object_id", "id"))
    try:
        names = field(entry, "names")
        synsets = [str(synset) for synset in entry.get("synsets") or ()]
        return ObjectFact(
            id=name,
            label=str(names[0]).strip(),
            bbox_xyxy_px=_box(entry, "w", "h"),
            # One object may carry several; MMGiC drops those, so they must stay visible to the cleaning.
            synset=" ".join(synsets) or None,
        )
    except (BrokenRecord, IndexError, KeyError, TypeError) as error:
        detail = str(error) if isinstance(error, BrokenRecord) else "`names` must hold a name"
        raise BrokenRecord(f"object {name}: {detail}") from None


def _relations(
    entries_of_image: Iterable[Any], kept: dict[str, ObjectFact], older: dict[str, str]
) -> Iterator[RelationFact]:
    """Relations whose ends are both still objects; those of dropped objects have nothing to point at."""
    for entry in entries_of_image:
        ends = [_known(str(field(field(entry, end), "object_id", "id")), kept, older) for end in ("subject", "object")]
        predicate = str(entry.get("predicate") or "").strip()
        if ends[0] is not None and ends[1] is not None and predicate:
            yield RelationFact(subject=ends[0], predicate=predicate, object=ends[1])


def _region(entry: Any) -> RegionFact:
    try:
        return RegionFact(text=str(field(entry, "phrase")).strip(), bbox_xyxy_px=_box(entry, "width", "height"))
    except BrokenRecord as error:
        raise BrokenRecord(f"region {entry.get('region_id') if isinstance(entry, dict) else entry}: {error}") from None


def _box(entry: Any, width: str, height: str) -> tuple[float, float, float, float]:
    return from_corner_and_size([field(entry, name) for name in ("x", "y", width, height)], f"x, y, {width}, {height}")


def _file_name(url: str | None) -> str | None:
    """`.../VG_100K_2/1.jpg` -> `VG_100K_2/1.jpg`, as both archives unpack."""
    return "/".join(PurePosixPath(urlsplit(url).path).parts[-2:]) if url is not None else None
