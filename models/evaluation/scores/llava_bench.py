"""LLaVA-Bench in the Wild: a judge's points for the answer relative to those for the reference (arXiv 2304.08485, 5.1).

The score is 100 * mean(candidate) / mean(reference). A review that failed, which public harnesses write down as -1 for
both and so as a perfect ratio, is counted as missing.
"""

import math
from collections import defaultdict
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

Points = tuple[float, float]  # reference, candidate


Judged = tuple[Points, str]  # points, category as the review states it


def pair(files: Files) -> Matched[str, Judged]:
    """Pair reviews {question_id, tuple: [reference, candidate], category} with the categories of the questions, if given."""
    reviews = read_all(files.answers)
    questions = read_all(files.labels) or read_all(files.questions) or reviews
    return pair_up(
        ((_id(row), _category(row)) for row in questions),
        [(_id(row), (points, _category(row))) for row in reviews if (points := _points(row)) is not None],
    )


def tally(pairs: Pairs[str, Judged]) -> Counts:
    """Sum the points of all reviews, under the empty name, and of each category."""
    counts: dict[tuple[str, str], float] = defaultdict(float)
    for _, category, ((reference, candidate), stated) in pairs:
        for name in {"", category or stated}:
            counts["reference", name] += reference
            counts["candidate", name] += candidate
    return counts


def metrics(counts: Counts) -> dict[str, float]:
    """Return the relative score, in all and by category."""
    names = sorted(name for what, name in counts if what == "reference" and name)
    return {name or "score": percent(counts["candidate", name], counts["reference", name]) for name in ("", *names)}


def _id(row: Row) -> str:
    return str(field(row, "question_id", where="files"))


def _category(row: Row) -> str:
    return str(row.get("category") or "").removeprefix("llava_bench_")


def _points(row: Row) -> Points | None:
    pair: Any = row.get("tuple", row.get("score"))
    try:
        reference, candidate = (float(value) for value in pair)
    except (TypeError, ValueError):
        return None
    good = all(math.isfinite(value) and value >= 0 for value in (reference, candidate))
    return (reference, candidate) if good else None


BENCHMARK = Benchmark(name="llava-bench", chief="score", pair=pair, tally=tally, metrics=metrics)
