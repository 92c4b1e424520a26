"""Lists of images that must not be trained on: a name per line, or Karpathy's split files of COCO and Flickr30k.

The lists are other people's, so none ships. A plain name is the source's own id; `coco:ID` and `flickr:ID` mean the image
wherever it is known under that number (`Record.aliases`), for MMGiC cleans Visual Genome of COCO's and Flickr30k's test
pictures (section F.2). Called by `markwise import`.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from models.sources.records import BrokenFile, BrokenRecord
from models.sources.streaming import entries, field

COCO, FLICKR = "coco", "flickr"
TEST = "test"
_NUMBER = re.compile(r"\d+")


def names_in(path: Path) -> frozenset[str]:
    """Return the names that a list holds; raises BrokenFile that says what a list looks like."""
    try:
        names = frozenset(_split(path) if path.suffix.lower() == ".json" else _lines(path))
    except (OSError, UnicodeDecodeError):
        raise BrokenFile(f"{path.name} cannot be read as a text file in UTF-8.") from None
    except BrokenRecord:
        raise _unlike(path) from None
    if not names:
        raise _unlike(path)
    return names


def coco_and_flickr(coco_id: Any, flickr_id: Any) -> tuple[str, ...]:
    """Return the aliases of an image that carries these numbers, either of which may be missing."""
    known = ((COCO, coco_id), (FLICKR, flickr_id))
    return tuple(f"{name}:{number}" for name, number in known if number is not None)


def flickr_number(url: str | None) -> str | None:
    """`https://farm1.staticflickr.com/22/30_6c.jpg` -> 30, the photo's number; None for any other address."""
    stated = urlsplit(url or "")
    if not (stated.hostname or "").endswith("flickr.com"):
        return None
    found = _NUMBER.match(PurePosixPath(stated.path).name)
    return None if found is None else found[0]


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        name = line.strip()
        if name and not name.startswith("#"):
            yield name


def _split(path: Path) -> Iterator[str]:
    """COCO's pictures of the split `test`; of Flickr30k every picture, because it is only ever tested on."""
    for entry in entries(path, "images"):
        if "cocoid" in entry:
            if field(entry, "split") == TEST:
                yield f"{COCO}:{entry['cocoid']}"
        else:
            yield f"{FLICKR}:{PurePosixPath(str(field(entry, 'filename'))).stem}"


def _unlike(path: Path) -> BrokenFile:
    return BrokenFile(
        f"{path.name} names no image: expected a text file with a name per line (the source's own id, coco:ID or"
        " flickr:ID), or dataset_coco.json or dataset_flickr30k.json of Karpathy's splits."
    )
