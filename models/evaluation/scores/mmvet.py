"""MM-Vet: a judge's grades of open answers from 0 to 1, in all and by capability (arXiv 2308.02490, section 3).

The grade file holds one score or one per run for each answer; the runs are averaged. An answer that no run could grade is
missing, not 0 and not good.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from models.evaluation.scores.sheets import (
    Benchmark,
    Counts,
    Files,
    Matched,
    Pairs,
    Row,
    field,
    pair_up,
    percent,
    read_all,
)

Capabilities = tuple[str, ...]


def pair(files: Files) -> Matched[Capabilities, float]:
    """Pair a grade file {id: {score, ...}} with labels {id: {capability: [...]}}, which may stand in it as well."""
    grades = read_all(files.answers)
    labels = read_all(files.labels) or grades
    return pair_up(
        ((_id(row), tuple(row.get("capability") or ())) for row in labels),
        [(_id(row), grade) for row in grades if (grade := _grade(row.get("score"))) is not None],
    )


def tally(pairs: Pairs[Capabilities, float]) -> Counts:
    """Sum the grades of all answers, and of each capability."""
    counts: dict[tuple[str, str], float] = defaultdict(float)
    for _, capabilities, grade in pairs:
        for name in {"total", *capabilities}:
            counts["grades", name] += grade
            counts["answers", name] += 1
    return counts


def metrics(counts: Counts) -> dict[str, float]:
    """Return the total and the mean of each capability."""
    names = sorted(name for what, name in counts if what == "answers" and name != "total")
    return {name: percent(counts["grades", name], counts["answers", name]) for name in ("total", *names)}


def _id(row: Row) -> str:
    return str(field(row, "question_id", where="grade file"))


def _grade(value: Any) -> float | None:
    runs = list(_numbers(value if isinstance(value, list) else [value]))
    return sum(runs) / len(runs) if runs else None


def _numbers(values: list[Any]) -> Iterator[float]:
    for value in values:
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if 0.0 <= number <= 1.0:
            yield number


BENCHMARK = Benchmark(name="mmvet", chief="total", pair=pair, tally=tally, metrics=metrics)
