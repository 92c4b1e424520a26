"""Scores published benchmarks from files alone, to the digits that their authors print.

`score(name, ...)` is what `markwise evaluate score` and evaluation jobs call; a benchmark is one small module and one
line below. Ids that are missing, unknown or doubled are counted, never guessed. Knows no model and no picture.
"""

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models.errors import BadEvaluation
from models.evaluation.scores import (
    classify,
    click,
    gqa,
    listing,
    llava_bench,
    mmbench,
    mme,
    mmvet,
    phrases,
    pope,
    refer,
    seed,
    video,
)
from models.evaluation.scores.sheets import Benchmark, Matched, Score, Sheets

__all__ = ["BENCHMARKS", "Benchmark", "Matched", "Score", "Sheets", "benchmark", "score"]

BENCHMARKS: MappingProxyType[str, Benchmark[Any, Any]] = MappingProxyType(
    {
        module.BENCHMARK.name: module.BENCHMARK
        for module in (
            pope,
            mme,
            gqa,
            seed,
            mmbench,
            mmvet,
            llava_bench,
            listing,
            classify,
            refer,
            phrases,
            video,
            click,
        )
    }
)


def benchmark(name: str) -> Benchmark[Any, Any]:
    """Return a benchmark by its name; raises BadEvaluation."""
    if name not in BENCHMARKS:
        raise BadEvaluation(f"there is no benchmark {name!r}; known are {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name]


def score(
    name: str, *, questions: Sequence[Path] = (), labels: Sequence[Path] = (), answers: Sequence[Path] = ()
) -> Score:
    """Score `answers` against `labels`; raises BadEvaluation with the file, the line and what was expected there."""
    chosen = benchmark(name)
    if not answers:
        raise BadEvaluation("no answer file was given")
    return chosen.score(Sheets.read(questions=questions, labels=labels, answers=answers))
