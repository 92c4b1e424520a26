"""Reads question, label and answer files and matches them by id: JSON lines, JSON, CSV, TSV, xlsx.

Scorers call it. Public scorers zip answers and labels by order, where one lost line shifts all that follow without a
word; here every answer finds its label by id, or is counted as what is wrong with it. Knows no benchmark.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from models.errors import BadEvaluation

Row = Mapping[str, Any]
L = TypeVar("L")
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files of one scoring; several label and answer files belong together in their order."""

    questions: tuple[Path, ...]
    labels: tuple[Path, ...]
    answers: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What came out: metrics in percent (0-100) or points, and how many answers they rest on.

    `n` answers were scored; `missing` labels have no answer, `unknown` answers no label; `duplicates` counts the lines
    beyond the first of an id. Equal lines of one id are scored once, lines that differ are not scored at all.
    """

    benchmark: str
    metrics: dict[str, float]
    n: int
    missing: int = 0
    unknown: int = 0
    duplicates: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the document that `markwise evaluate score --json` prints."""
        return {
            "benchmark": self.benchmark,
            "metrics": self.metrics,
            "n": self.n,
            "missing": self.missing,
            "unknown": self.unknown,
            "duplicates": self.duplicates,
        }


Pairs = Sequence[tuple[Any, L, A]]
"""(id, label, answer) of every answer that is scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched(Generic[L, A]):
    """Labels with their answers, in the order of the labels, and what could not be matched."""

    pairs: tuple[tuple[Any, L, A], ...]
    missing: int = 0
    unknown: int = 0
    duplicates: int = 0


def _itself(key: Any) -> Hashable:
    return key  # type: ignore[no-any-return]  # ids are hashable, or they would not have been matched


Counts = Mapping[Any, float]
"""What is counted, under names of the benchmark's own; counts of units add up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark(Generic[L, A]):
    """How one benchmark is scored: `pair` finds the labels of the answers, `tally` counts a unit, `metrics` reads the sum.

    A unit holds the answers that count only together (the rotations of a question, the two questions about a picture);
    `unit` maps an id to it, and a bootstrap draws whole units. `chief` is the metric that papers report.
    """

    name: str
    chief: str
    pair: Callable[[Files], Matched[L, A]]
    tally: Callable[[Pairs[L, A]], Counts]
    metrics: Callable[[Counts], dict[str, float]]
    unit: Callable[[Any], Hashable] = _itself

    def tallies(self, pairs: Pairs[L, A]) -> list[Counts]:
        """Return the counts of each unit, in the order in which units first appear."""
        units: dict[Hashable, list[tuple[Any, L, A]]] = defaultdict(list)
        for row in pairs:
            units[self.unit(row[0])].append(row)
        return [self.tally(rows) for rows in units.values()]

    def score(self, files: Files) -> Score:
        """Score files; raises BadEvaluation."""
        matched = self.pair(files)
        return Score(
            benchmark=self.name,
            metrics=self.metrics(total(self.tallies(matched.pairs))),
            n=len(matched.pairs),
            missing=matched.missing,
            unknown=matched.unknown,
            duplicates=matched.duplicates,
        )


def total(tallies: Iterable[Counts]) -> Counts:
    """Return the sum of counts; a name that nobody counted is 0."""
    whole: dict[Any, float] = defaultdict(int)
    for counts in tallies:
        for name, count in counts.items():
            whole[name] += count
    return whole


def pair_up(labels: Iterable[tuple[Any, L]], answers: Iterable[tuple[Any, A]]) -> Matched[L, A]:
    """Pair (id, label) with (id, answer)."""
    truth, said = _unique(labels), _unique(answers)
    pairs = []
    for key, label in truth.found.items():
        if key in said.found:
            pairs.append((key, label, said.found[key]))
    known = truth.found.keys() | truth.torn
    return Matched(
        pairs=tuple(pairs),
        missing=sum(key not in said.found and key not in said.torn for key in truth.found),
        unknown=sum(key not in known for key in (*said.found, *said.torn)),
        duplicates=truth.doubled + said.doubled,
    )


@dataclass(slots=True, kw_only=True)
class _Unique(Generic[L]):
    found: dict[Any, L]
    torn: set[Any]  # ids whose lines disagree
    doubled: int


def _unique(rows: Iterable[tuple[Any, L]]) -> _Unique[L]:
    seen: _Unique[L] = _Unique(found={}, torn=set(), doubled=0)
    for key, value in rows:
        if key in seen.torn:
            seen.doubled += 1
        elif key not in seen.found:
            seen.found[key] = value
        else:
            seen.doubled += 1
            if seen.found[key] != value:
                del seen.found[key]
                seen.torn.add(key)
    return seen


def read(path: Path) -> list[Row]:
    """Return the rows of a file by its ending, `.xlsx`, `.tsv`, `.csv`, else JSON or JSON lines; raises BadEvaluation.

    A JSON object whose values are objects becomes one row per entry, its key under `question_id`.
    """
    if not path.is_file():
        raise BadEvaluation(f"{path} is not a file")
    match path.suffix.lower():
        case ".xlsx":
            return _read_xlsx(path)
        case ".tsv" | ".csv":
            return _read_table(path, "\t" if path.suffix.lower() == ".tsv" else ",")
        case _:
            return _read_json(path)


def read_all(paths: Sequence[Path]) -> list[Row]:
    """Return the rows of all files, one file behind the other."""
    return [row for path in paths for row in read(path)]


def field(row: Row, *names: str, where: str) -> Any:
    """Return the first of the named fields that the row has; raises BadEvaluation that names them all."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    wanted = " or ".join(f"`{name}`" for name in names)
    raise BadEvaluation(f"a row of the {where} has no {wanted}: {json.dumps(dict(row), default=str)[:200]}")


def has(rows: Sequence[Row], *names: str) -> bool:
    """Return whether the rows carry one of the named fields."""
    return any(row.get(name) is not None for row in rows[:1] for name in names)


def percent(part: float, whole: float) -> float:
    """Return 100 * part / whole, unrounded; 0 of nothing is 0."""
    return 100.0 * part / whole if whole else 0.0


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
    lines = text.strip().splitlines()
    if not lines or not lines[0].startswith("{"):
        return False
    try:
        first = json.loads(lines[0])
    except json.JSONDecodeError:
        # Either the object goes on behind its first line, or that line is broken: then a later one stands for itself.
        return not lines[0].rstrip().endswith("}")
    return len(lines) == 1 and (isinstance(first.get("questions"), list) or _holds_rows(first))


def _holds_rows(document: Mapping[str, Any]) -> bool:
    return bool(document) and all(isinstance(value, dict) for value in document.values())


def _lines(text: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as exc:
            raise BadEvaluation(f"{path}, line {number}: not JSON ({exc.msg})") from exc
        if not isinstance(row, dict):
            raise BadEvaluation(f"{path}, line {number}: expected an object, got {line.strip()[:60]}")
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
        return [
            {name: value or None for name, value in row.items()} for row in csv.DictReader(file, delimiter=delimiter)
        ]


def _read_xlsx(path: Path) -> list[Row]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    except CalamineError as exc:
        raise BadEvaluation(f"{path} is not a readable xlsx file: {exc}") from exc
    if not rows:
        raise BadEvaluation(f"{path} is empty")
    header = [str(cell).strip() for cell in rows[0]]
    return [{name: None if cell == "" else cell for name, cell in zip(header, row, strict=False)} for row in rows[1:]]
