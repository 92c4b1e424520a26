"""Figures per dimension of a benchmark, run against run, and what mixing two kinds of data brings over either alone (MMGiC, 4.4).

The paper takes the nine image dimensions of SEED-Bench without Text Recognition (85 questions), and compares models
taught with coarse, fine and both kinds of annotations. Every difference is paired over the questions of its dimension.
Knows no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from models.errors import BadEvaluation
from models.evaluation.compare import difference, interval
from models.evaluation.scores import Benchmark, Matched, benchmark

SEED_DIMENSIONS: Final[Mapping[str, str]] = {
    "1": "scene understanding",
    "2": "instance identity",
    "3": "instance attributes",
    "4": "instance location",
    "5": "instances counting",
    "6": "spatial relation",
    "7": "instance interaction",
    "8": "visual reasoning",
    "9": "text recognition",
}
LEFT_OUT: Final = frozenset({"text recognition"})
OVERALL: Final = "overall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """A run under its title; `dimension` maps a question's id to what it is about."""

    title: str
    matched: Matched[Any, Any]
    dimension: Mapping[str, str]


def breakdown(name: str, runs: Sequence[Titled], *, everything: bool = False) -> dict[str, Any]:
    """Return for each dimension the chief metric of each run with its interval, and its difference to the first run.

    SEED-Bench's types get their names, and Text Recognition is left out as in the paper unless `everything`. Raises
    BadEvaluation where no question has a dimension.
    """
    chosen = benchmark(name)
    parts = [_parts(chosen, run, everything=everything) for run in runs]
    names = sorted({dimension for part in parts for dimension in part} - {OVERALL}, key=_order)
    if not names:
        raise BadEvaluation(
            "the questions name no dimension: give the question file that holds `question_type_id` or `category`"
        )
    rows = []
    for dimension in (*names, OVERALL):
        cells = [_cell(chosen, part.get(dimension), parts[0].get(dimension)) for part in parts]
        rows.append({"dimension": dimension, "runs": dict(zip([run.title for run in runs], cells, strict=True))})
    found: dict[str, Any] = {"benchmark": name, "chief": chosen.chief, "dimensions": rows}
    if len(runs) == 3:
        found["mixed"] = _mixed(rows, [run.title for run in runs])
    return found


def _parts(chosen: Benchmark[Any, Any], run: Titled, *, everything: bool) -> dict[str, Matched[Any, Any]]:
    """Return the answers of each dimension, and all that count."""
    sorted_: dict[str, list[Any]] = {}
    for pair in run.matched.pairs:
        dimension = run.dimension.get(str(pair[0]), "")
        if chosen.name == "seed":
            dimension = SEED_DIMENSIONS.get(dimension, dimension)
        if dimension in LEFT_OUT and not everything:
            continue
        sorted_.setdefault(OVERALL, []).append(pair)
        if dimension:
            sorted_.setdefault(dimension, []).append(pair)
    return {name: replace(run.matched, pairs=tuple(pairs)) for name, pairs in sorted_.items()}


def _cell(
    chosen: Benchmark[Any, Any], part: Matched[Any, Any] | None, first: Matched[Any, Any] | None
) -> dict[str, Any] | None:
    if part is None:
        return None
    sure = interval(chosen, part)
    cell: dict[str, Any] = {"n": len(part.pairs), "value": sure.value, "low": sure.low, "high": sure.high}
    if first is not None and first is not part:
        gap = difference(chosen, part, first)
        cell["difference"] = {"value": gap.difference.value, "low": gap.difference.low, "high": gap.difference.high}
        cell["better"] = gap.better
    return cell


def _mixed(rows: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> dict[str, Any]:
    """Return where the third run, taught with both, beats the better of the first two, and by how much on average."""
    gains = {}
    for row in rows:
        first, second, both = (row["runs"][title] for title in titles)
        if row["dimension"] != OVERALL and first and second and both:
            gains[row["dimension"]] = both["value"] - max(first["value"], second["value"])
    mean = sum(gains.values()) / len(gains) if gains else 0.0
    return {"run": titles[2], "over_the_better_of": list(titles[:2]), "gains": gains, "mean": mean}


def _order(name: str) -> tuple[int, str]:
    known = list(SEED_DIMENSIONS.values())
    return (known.index(name) if name in known else len(known), name)
