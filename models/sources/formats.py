"""The published formats by name, and how to open one. The only place that knows all of them; readers load when used."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from models.errors import BadInput
from models.sources.records import BrokenFile, Reading, Tools

Read = Callable[[Sequence[Path], Tools], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: the reader as `module:function`, what to give it, and the endings of its files in a folder."""

    name: str
    reader: str
    takes: str
    endings: tuple[str, ...]


FORMATS: Mapping[str, Format] = {
    found.name: found
    for found in (
        Format(
            name="coco",
            reader="models.sources.coco:read",
            takes="instances, panoptic and captions JSON, any of them; panoptic pictures beside their JSON",
            endings=(".json",),
        ),
        Format(
            name="objects365",
            reader="models.sources.coco:read",
            takes="the annotation JSON of each split, such as zhiyuan_objv2_train.json",
            endings=(".json",),
        ),
        Format(
            name="v3det",
            reader="models.sources.coco:read",
            takes="the annotation JSON of each split, such as v3det_2023_v1_train.json",
            endings=(".json",),
        ),
        Format(
            name="visual-genome",
            reader="models.sources.visual_genome:read",
            takes="image_data, objects, attributes, relationships and region_descriptions JSON, captions of COCO",
            endings=(".json",),
        ),
        Format(
            name="open-images",
            reader="models.sources.open_images:read",
            takes="CSV files of boxes and class descriptions, also relationships, attribute descriptions, image ids",
            endings=(".csv",),
        ),
        Format(
            name="llava",
            reader="models.sources.llava:read",
            takes="training JSON in LLaVA's form, a list or one sample per line",
            endings=(".json", ".jsonl"),
        ),
        Format(
            name="folder",
            reader="models.sources.pictures:read_folders",
            takes="folders of pictures, or pictures",
            endings=(),
        ),
        Format(
            name="urls",
            reader="models.sources.pictures:read_urls",
            takes="text files with one URL per line",
            endings=(".txt",),
        ),
    )
}


def open_source(name: str, paths: Sequence[Path], tools: Tools) -> Reading:
    """Open files or folders of a format; raises BadInput for an unknown name, BrokenFile for what it cannot read."""
    found = FORMATS.get(name)
    if found is None:
        raise BadInput(f"There is no format `{name}`; known are {', '.join(FORMATS)}.")
    files = [file for path in paths for file in _files(path, found.endings)]
    if not files:
        raise BrokenFile(f"No file for the format `{name}`: it takes {found.takes}.")
    module, _, function = found.reader.partition(":")
    read: Read = getattr(import_module(module), function)
    return read(files, tools)


def _files(path: Path, endings: tuple[str, ...]) -> list[Path]:
    """A folder stands for the files right in it; without endings it stands for itself."""
    if not path.is_dir() or not endings:
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.lower() in endings)
