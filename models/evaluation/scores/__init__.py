"""Scores published benchmarks from files alone, to the digits that their authors print.

`score(name, ...)` is what `markwise evaluate score` and evaluation jobs call; a benchmark is one small module and one
line below. Ids that are missing, unknown or doubled are counted, never guessed. Knows no model and no picture.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType

from models.errors import BadEvaluation
from models.evaluation.scores import gqa, listing, llava_bench, mmbench, mme, mmvet, pope, seed
from models.evaluation.scores.sheets import Files, Score

__all__ = ["SCORERS", "Files", "Score", "score"]

SCORERS: MappingProxyType[str, Callable[[Files], Score]] = MappingProxyType(
    {
        "pope": pope.score,
        "mme": mme.score,
        "gqa": gqa.score,
        "seed": seed.score,
        "mmbench": mmbench.score,
        "mmvet": mmvet.score,
        "llava-bench": llava_bench.score,
        "listing": listing.score,
    }
)


def score(
    name: str, *, questions: Sequence[Path] = (), labels: Sequence[Path] = (), answers: Sequence[Path] = ()
) -> Score:
    """Score `answers` against `labels`; raises BadEvaluation with the file, the line and what was expected there."""
    if name not in SCORERS:
        raise BadEvaluation(f"there is no benchmark {name!r}; known are {', '.join(SCORERS)}")
    if not answers:
        raise BadEvaluation("no answer file was given")
    return SCORERS[name](Files(questions=tuple(questions), labels=tuple(labels), answers=tuple(answers)))
