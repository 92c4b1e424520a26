"""A LLaVA JSON file of any size, read record by record: a list of samples, or one sample per line.

Each record comes with its place in the file, so that a chosen one is read again without the others. Called by the dataset
build; knows nothing of what a record means.
"""

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from models.errors import BadInput

_CHUNK_BYTES: Final = 1 << 20
# One record of a million characters is no conversation; without a limit a broken file would be read whole.
_LONGEST: Final = 64 << 20
_BETWEEN: Final = " \t\r\n,"

Place = tuple[int, int]
"""First byte and number of bytes."""


def records(path: Path) -> Iterator[tuple[Place, Any]]:
    """Yield every record with its place; raises BadInput that names the record which is no JSON."""
    try:
        with path.open("rb") as file:
            yield from _records(iter(lambda: file.read(_CHUNK_BYTES), b""), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} cannot be read as UTF-8 text") from error


def _records(chunks: Iterator[bytes], name: str) -> Iterator[tuple[Place, Any]]:
    decoder, read = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8")()
    text, at, byte, count, listed, more = "", 0, 0, 0, False, True
    while True:
        begin = _skip(text, at)
        byte += begin - at  # blanks, commas and the bracket are one byte each
        at = begin
        if count == 0 and not listed and text[at : at + 1] == "[":
            listed, at, byte = True, at + 1, byte + 1
            continue
        ended = text[at : at + 1] == "]" and listed
        try:
            if ended or (at == len(text) and not more):
                break
            record, end = decoder.raw_decode(text, at)
        except ValueError:
            if not more or len(text) - at > _LONGEST:
                raise BadInput(f"{name}: record {count} is not JSON; expected a list of samples") from None
            chunk = next(chunks, b"")
            more = bool(chunk)
            text, at = text[at:] + read.decode(chunk, final=not more), 0
            continue
        size = len(text[at:end].encode())
        yield (byte, size), record
        byte, at, count = byte + size, end, count + 1
    if listed != ended:
        raise BadInput(f"{name} ends in the middle of its list, after record {count - 1}")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BETWEEN:
        at += 1
    return at


def record_at(file: Any, place: Place) -> Any:
    """Return the record at a place of an open binary file; raises BadInput where the file is another one by now."""
    file.seek(place[0])
    try:
        return json.loads(file.read(place[1]))
    except ValueError:
        raise BadInput("the file was changed while it was read; build again") from None
