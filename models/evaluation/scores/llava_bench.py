"""LLaVA-Bench in the Wild: a judge's points for the answer relative to those for the reference (arXiv 2304.08485, 5.1).

The score is 100 * mean(candidate) / mean(reference). A review that failed, which public harnesses write down as -1 for
both and so as a perfect ratio, is counted as missing. Several review files are several judgements of the same answers.
"""

import math
from collections.abc import Sequence
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

Points = tuple[float, float]  # reference, candidate
Judged = tuple[Points, str]  # points, category as the review states it
_BEST = 10


def pair(sheets: Sheets) -> Matched[str, Judged]:
    """Pair reviews {question_id, tuple: [reference, candidate], category} with the categories of the questions, if given.

    Ids of the result are (number of the review file, id).
    """
    if sheets.said and not holds(sheets.said, "tuple", "score", "content"):
        raise BadEvaluation("a row of the reviews has no `tuple` of points: answers must be reviewed by a judge first")
    # Reference answers and contexts are label files, too: what says a category says which questions there are.
    told = [row for row in (sheets.truth() if sheets.labels else sheets.questions) if row.get("category")]
    questions = told or [row for row in sheets.questions if row.get("category")]
    return Matched.numbered(_match(questions or reviews, reviews) for reviews in sheets.answers)


def tally(pairs: Pairs[str, Judged]) -> Counts:
    """Sum the points of all reviews, of each category, and of each review file."""
    return total(
        grouped([category or stated, _file(number)], reference=reference, candidate=candidate)
        for (number, _), category, ((reference, candidate), stated) in pairs
    )


def metrics(counts: Counts) -> dict[str, float]:
    """Return the relative score, in all and by category; of several review files also each one's and the mean of these."""
    names = groups_of(counts, "reference")
    ratios = {name: percent(counts["candidate", name], counts["reference", name]) for name in ("", *names)}
    files = [name for name in names if name.startswith("score_")]
    found = {name or "score": ratio for name, ratio in ratios.items() if name not in files}
    if len(files) < 2:
        return found
    return (
        found
        | {name: ratios[name] for name in files}
        | {"score_mean": sum(map(ratios.__getitem__, files)) / len(files)}
    )


def points_in(text: str) -> Points | None:
    """Return the two points on the first line of a judge's words, None where there are not just two from 0 to 10."""
    return _points(text.strip().partition("\n")[0].replace(",", " ").split())


def _match(questions: Sequence[Row], reviews: Sequence[Row]) -> Matched[str, Judged]:
    return pair_up(
        ((question_id(row), _category(row)) for row in questions),
        ((question_id(row), _judged(row)) for row in reviews),
    )


def _judged(row: Row) -> Judged | object:
    points = _of_review(row)
    return NOTHING if points is None else (points, _category(row))


def _file(number: int) -> str:
    return f"score_{number}"


def _category(row: Row) -> str:
    return str(row.get("category") or "").removeprefix("llava_bench_")


def _of_review(row: Row) -> Points | None:
    pair_ = row.get("tuple", row.get("score"))
    return _points(pair_) if pair_ is not None else points_in(str(row.get("content") or ""))


def _points(pair_: Any) -> Points | None:
    try:
        reference, candidate = (float(value) for value in pair_)
    except (TypeError, ValueError):
        return None
    good = all(math.isfinite(value) and value >= 0 for value in (reference, candidate))
    return (reference, candidate) if good else None


def _grade(_category: str, judged: Judged) -> float:
    return min(judged[0][1] / _BEST, 1.0)


BENCHMARK = Benchmark(
    name="llava-bench",
    chief="score",
    pair=pair,
    tally=tally,
    metrics=metrics,
    grade=_grade,
    # One question, judged several times, is one question.
    unit=lambda key: key[1],
)
