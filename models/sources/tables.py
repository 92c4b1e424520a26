"""Rows of CSV files, streamed, and which columns a file has. Called by readers of Open Images."""

import csv
from collections.abc import Iterator
from pathlib import Path

from models.sources.records import BrokenFile


def columns(path: Path) -> list[str]:
    """Return the first row; raises BrokenFile."""
    return next(_lines(path), [])


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows after the first as dictionaries; a row that is too short lacks its last columns."""
    lines = _lines(path)
    names = next(lines, [])
    for line in lines:
        yield dict(zip(names, line, strict=False))


def plain_rows(path: Path) -> Iterator[list[str]]:
    """Yield every row of a file without a header."""
    return _lines(path)


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield from csv.reader(stream)
    except (OSError, UnicodeDecodeError, csv.Error):
        raise BrokenFile(f"{path.name} cannot be read as a CSV file in UTF-8.") from None
