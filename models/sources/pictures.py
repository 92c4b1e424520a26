"""Pictures without annotations: folders of images, and text files with one URL per line."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.sources.records import BrokenFile, Fault, ImageReference, Reading, Record, Tools

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})


def read_folders(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open folders of pictures, with their subfolders; a file that is given is taken whatever its ending."""

    def files() -> Iterator[tuple[str, Path]]:
        for path in paths:
            if path.is_dir():
                yield from _walk(path)
            else:
                yield path.name, path

    def records() -> Iterator[Record | Fault]:
        for name, path in files():
            tools.beat()
            yield Record(external_id=name, image=ImageReference(path=path))

    return Reading(records=records, total=sum(1 for _ in files()))


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Pictures by folder and name, so that a second look sees the same order; links are not followed."""
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            if path.suffix.lower() in ENDINGS and not path.is_symlink():
                yield str(path.relative_to(folder)), path


def read_urls(paths: Sequence[Path], tools: Tools) -> Reading:
    """Open lists of URLs; blank lines and lines that begin with # are passed over, a URL said twice counts once per file."""

    def records() -> Iterator[Record | Fault]:
        for path in paths:
            for number, line in _lines(path):
                tools.beat()
                if line.startswith(("http://", "https://")):
                    yield Record(external_id=line, image=ImageReference(url=line))
                else:
                    yield Fault(
                        external_id=f"{path.name} line {number}", detail="a URL begins with http:// or https://"
                    )

    return Reading(records=records, total=sum(1 for path in paths for _ in _lines(path)))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                found = line.strip()
                if found and not found.startswith("#"):
                    yield number, found
    except (OSError, UnicodeDecodeError):
        raise BrokenFile(f"{path.name} cannot be read as a text file in UTF-8.") from None
