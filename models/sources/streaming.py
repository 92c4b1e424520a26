"""Entries of a JSON document one at a time, whatever its size. Called by every reader of JSON.

Syntax errors become `BrokenFile`; what the entries mean is the readers' business.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ijson

from models.sources.records import BrokenFile, BrokenRecord

_READ_BYTES = 1 << 20


def entries(path: Path, key: str | None = None) -> Iterator[Any]:
    """Yield the members of the array under the top-level `key`, or of the document itself (None), as Python values.

    A document without the key yields nothing. Raises BrokenFile where the JSON ends or breaks off.
    """
    prefix = "item" if key is None else f"{key}.item"
    try:
        with path.open("rb") as stream:
            yield from ijson.items(stream, prefix, use_float=True, buf_size=_READ_BYTES)
    except ijson.JSONError:
        raise BrokenFile(
            f"{path.name} is not whole JSON: it breaks off or has a wrong sign. Fetch it again, or unpack it if it is a zip."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise BrokenFile(f"{path.name} cannot be read as a text file.") from None


def is_list(path: Path) -> bool:
    """Whether the document is an array, by its first sign: asking the parser would cost a pass over a large file."""
    try:
        with path.open("rb") as stream:
            return stream.read(1 << 12).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    except OSError:
        raise BrokenFile(f"{path.name} cannot be read as a text file.") from None


def first_entry(path: Path, key: str | None = None) -> Any:
    """Return the first member, or None: what tells one published file from another."""
    return next(entries(path, key), None)


def words(entry: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the fields that holds a text, or None: a name that is no text names nothing."""
    return next((entry[name] for name in names if isinstance(entry.get(name), str) and entry[name]), None)


def field(entry: Any, *names: str) -> Any:
    """Return the first of the fields that the entry has; raises BrokenRecord that names them."""
    if isinstance(entry, Mapping):
        for name in names:
            if entry.get(name) is not None:
                return entry[name]
    raise BrokenRecord(f"`{'` or `'.join(names)}` is missing")
