"""Reads question, label and answer files into rows: JSON lines, JSON, CSV, TSV, xlsx. Scorers and runners call it.

Published files differ in small ways that say nothing: a byte order mark, blank lines, commas behind the lines, ids that are
numbers here and texts there. These are forgiven; whatever else is wrong is told with its file and line. Knows no benchmark.
"""

import csv
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.errors import BadEvaluation

Row = Mapping[str, Any]
_IDS: Final = ("question_id", "questionId", "index", "image", "id", "key")


def read(path: Path) -> list[Row]:
    """Return the rows of a file by its ending, `.xlsx`, `.tsv`, `.csv`, else JSON or JSON lines; raises BadEvaluation.

    A JSON object that maps ids to entries becomes one row per entry, its key under `question_id`.
    """
    if not path.is_file():
        raise BadEvaluation(f"{path} is not a file")
    try:
        match path.suffix.lower():
            case ".xlsx":
                return _read_xlsx(path)
            case ".tsv" | ".csv":
                return _read_table(path, "\t" if path.suffix.lower() == ".tsv" else ",")
            case _:
                return _read_json(path)
    except UnicodeDecodeError:
        raise BadEvaluation(f"{path} is not text in UTF-8") from None


def field(row: Row, *names: str, where: str) -> Any:
    """Return the first of the named fields that the row has; raises BadEvaluation that names them all."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    wanted = " or ".join(f"`{name}`" for name in names)
    raise BadEvaluation(f"a row of the {where} has no {wanted}: {json.dumps(dict(row), default=str)[:200]}")


def holds(rows: Sequence[Row], *names: str) -> bool:
    """Return whether a row carries one of the named fields."""
    return any(row.get(name) is not None for row in rows for name in names)


def question_id(row: Row, *names: str) -> str:
    """Return a row's id as text, so that 7, 7.0 (as a sheet has it) and "7" are one; raises BadEvaluation."""
    value = field(row, *(names or ("question_id", "questionId")), where="files")
    text = str(value).strip()
    return text.removesuffix(".0") if text[:-2].isdigit() else text


def _read_json(path: Path) -> list[Row]:
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip()[:1] == "[" or _is_one_document(text):
        try:
            return list(_rows_of(json.loads(text), path))
        except json.JSONDecodeError as exc:
            raise BadEvaluation(f"{path}, line {exc.lineno}: not JSON ({exc.msg})") from exc
    return list(_lines(text, path))


def _is_one_document(text: str) -> bool:
    """Return whether the text is one object that holds the rows, and not one row for each line."""
    lines = text.strip().split("\n")
    if not lines[0].startswith("{"):
        return False
    try:
        first = json.loads(lines[0])
    except json.JSONDecodeError:
        # Either the object goes on behind its first line, or that line is broken: then a later one stands for itself.
        return re.search(r"\}\s*,?\s*$", lines[0]) is None
    return len(lines) == 1 and not any(name in first for name in _IDS)


def _lines(text: str, path: Path) -> Iterator[Row]:
    # Only at line feeds: an answer may hold the rarer characters at which `splitlines` would tear it.
    for number, raw in enumerate(text.split("\n"), 1):
        # SEED-Bench's published answers have a comma behind each line, as if they stood in a list.
        line = raw.strip().removesuffix(",")
        if not line:
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise BadEvaluation(f"{path}, line {number}: not JSON ({exc.msg})") from exc
        if not isinstance(row, dict):
            raise BadEvaluation(f"{path}, line {number}: expected an object, got {line[:60]}")
        yield row


def _rows_of(document: Any, path: Path) -> Iterator[Row]:
    if isinstance(document, dict) and isinstance(document.get("questions"), list):
        document = document["questions"]
    if isinstance(document, dict):
        for key, value in document.items():
            yield {"question_id": key, **(value if isinstance(value, dict) else {"text": value})}
        return
    for number, row in enumerate(document, 1):
        if not isinstance(row, dict):
            raise BadEvaluation(f"{path}, entry {number}: expected an object, got {str(row)[:60]}")
        yield row


def _read_table(path: Path, delimiter: str) -> list[Row]:
    # Published sheets carry pictures in base64 in one field.
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter=delimiter)
        return [{str(name).strip(): value or None for name, value in row.items()} for row in rows]


def _read_xlsx(path: Path) -> list[Row]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except CalamineError as exc:
        raise BadEvaluation(f"{path} is not a readable xlsx file: {exc}") from exc
    if not rows:
        raise BadEvaluation(f"{path} is empty")
    header = [str(cell).strip() for cell in rows[0]]
    return [
        {name: _cell(cell) for name, cell in zip(header, row, strict=False)}
        for row in rows[1:]
        if any(cell != "" for cell in row)
    ]


def _cell(cell: Any) -> Any:
    """Return what a cell holds: nothing as None, and 3 as 3, though a sheet knows only 3.0."""
    if cell == "" or (isinstance(cell, float) and math.isnan(cell)):
        return None
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
