"""MM-Vet: a judge's grades of open answers from 0 to 1, in all and by capability (arXiv 2308.02490, section 3).

The grade file holds one score or one per run for each answer; the runs are averaged. An answer that no run could grade is
missing, not 0 and not good.
"""

from collections.abc import Iterator
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.scores.reading import Row, holds, question_id
from models.evaluation.scores.sheets import (
    NOTHING,
    Benchmark,
    Counts,
    Matched,
    Pairs,
    Sheets,
    grouped,
    groups_of,
    pair_up,
    percent,
    total,
)

Capabilities = tuple[str, ...]


def pair(sheets: Sheets) -> Matched[Capabilities, float]:
    """Pair a grade file {id: {score, ...}} with labels {id: {capability: [...]}}, which may stand in it as well."""
    grades = sheets.said
    if grades and not holds(grades, "score"):
        raise BadEvaluation("a row of the grade file has no `score`: MM-Vet's answers must be graded by a judge first")
    return pair_up(
        ((_id(row), tuple(row.get("capability") or ())) for row in sheets.truth("capability")),
        ((_id(row), _grade(row.get("score"))) for row in grades),
    )


def tally(pairs: Pairs[Capabilities, float]) -> Counts:
    """Sum the grades of all answers, and of each capability."""
    return total(grouped(capabilities, grades=grade, answers=1) for _, capabilities, grade in pairs)


def metrics(counts: Counts) -> dict[str, float]:
    """Return the total and the mean of each capability."""
    return {
        name or "total": percent(counts["grades", name], counts["answers", name])
        for name in ("", *groups_of(counts, "answers"))
    }


def _id(row: Row) -> str:
    """Return the official id; LLaVA's question file counts 0, 1, 2 where the others say v1_0, v1_1, v1_2."""
    found = question_id(row)
    return f"v1_{found}" if found.isdigit() else found


def _grade(value: Any) -> float | object:
    runs = list(_numbers(value if isinstance(value, list) else [value]))
    return sum(runs) / len(runs) if runs else NOTHING


def _numbers(values: list[Any]) -> Iterator[float]:
    for value in values:
        try:
            number = float(value)
        except (TypeError, ValueError):
            continue
        if 0.0 <= number <= 1.0:
            yield number


BENCHMARK = Benchmark(
    name="mmvet", chief="total", pair=pair, tally=tally, metrics=metrics, grade=lambda _capabilities, grade: grade
)
