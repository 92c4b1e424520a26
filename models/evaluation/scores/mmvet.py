"""MM-Vet: a judge's grades of open answers from 0 to 1, in all and by capability (arXiv 2308.02490, section 3).

The grade file holds one score or one per run for each answer; the runs are averaged. An answer that no run could grade is
missing, not 0 and not good.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from models.evaluation.scores.sheets import Files, Row, Score, field, pair_up, percent, read_all


def score(files: Files) -> Score:
    """Score a grade file {id: {score, ...}}; capabilities come from the labels {id: {capability: [...]}} or with it."""
    grades = read_all(files.answers)
    labels = read_all(files.labels) or grades
    graded = [(_id(row), grade) for row in grades if (grade := _grade(row.get("score"))) is not None]
    matched = pair_up(((_id(row), tuple(row.get("capability") or ())) for row in labels), graded)
    by_capability: dict[str, list[float]] = defaultdict(list)
    for _, capabilities, grade in matched.pairs:
        for name in capabilities:
            by_capability[name].append(grade)
    total = sum(grade for _, _, grade in matched.pairs)
    return Score(
        benchmark="mmvet",
        metrics={
            "total": percent(total, len(matched.pairs)),
            **{name: percent(sum(some), len(some)) for name, some in sorted(by_capability.items())},
        },
        n=len(matched.pairs),
        missing=matched.missing,
        unknown=matched.unknown,
        duplicates=matched.duplicates,
    )


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
