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
    """A format: the reader as `module:function`, what to give it, and the endings of its files in a folder.

    `outlines` says that its records name objects with their places, which marks can be put on.
    """

    name: str
    reader: str
    takes: str
    endings: tuple[str, ...]
    outlines: bool


def _annotations(name: str, reader: str, takes: str, ending: str = ".json") -> Format:
    return Format(name=name, reader=reader, takes=takes, endings=(ending,), outlines=True)


def _pictures(name: str, reader: str, takes: str, *endings: str) -> Format:
    return Format(name=name, reader=reader, takes=takes, endings=endings, outlines=False)


_COCO = "models.sources.coco:read"
FORMATS: Mapping[str, Format] = {
    found.name: found
    for found in (
        _annotations(
            "coco",
            _COCO,
            "instances, panoptic and captions JSON, any of them; panoptic pictures beside their JSON",
        ),
        _annotations("objects365", _COCO, "the annotation JSON of each split, such as zhiyuan_objv2_train.json"),
        _annotations("v3det", _COCO, "the annotation JSON of each split, such as v3det_2023_v1_train.json"),
        _annotations(
            "visual-genome",
            "models.sources.visual_genome:read",
            "image_data, objects, attributes, relationships and region_descriptions JSON, captions of COCO",
        ),
        _annotations(
            "open-images",
            "models.sources.open_images:read",
            "CSV files of boxes and class descriptions, also relationships, attribute descriptions, image ids",
            ".csv",
        ),
        _pictures(
            "llava",
            "models.sources.llava:read",
            "training JSON in LLaVA's form, a list or one sample per line",
            ".json",
            ".jsonl",
        ),
        _pictures("folder", "models.sources.pictures:read_folders", "folders of pictures, or pictures"),
        _pictures("urls", "models.sources.pictures:read_urls", "text files with one URL per line", ".txt"),
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
