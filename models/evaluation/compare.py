"""Says how sure a benchmark's figure is, and whether two runs differ: percentile bootstrap, paired over shared ids.

What is drawn is the benchmark's unit (a picture of MME with both questions, a question of MMBench with all rotations),
since answers of one unit are not independent. Seeded, so a report can be printed again. Knows no file and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BadEvaluation
from models.evaluation.scores import Benchmark, Matched
from models.evaluation.scores.sheets import Counts

ROUNDS: Final = 1000
_LOW, _HIGH = 2.5, 97.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with the middle 95 % of its bootstrap values."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The chief metric of a run minus that of another, on the `n` answers that both have."""

    difference: Interval
    n: int

    @property
    def better(self) -> bool | None:
        """Whether the run is better than the other; None where the interval holds 0 and the data cannot tell."""
        if self.difference.low > 0:
            return True
        return False if self.difference.high < 0 else None


def interval(benchmark: Benchmark[Any, Any], matched: Matched[Any, Any], seed: int = 0) -> Interval:
    """Return the chief metric of a run with its 95 % interval; raises BadEvaluation where nothing was answered."""
    if not matched.pairs:
        raise BadEvaluation("no answer of the run has a label")
    names, counts = _table(benchmark.tallies(matched.pairs))
    values = _chiefs(benchmark, names, _drawn(len(counts), seed) @ counts)
    return _interval(_chiefs(benchmark, names, counts.sum(axis=0)[None])[0], values)


def difference(
    benchmark: Benchmark[Any, Any], run: Matched[Any, Any], other: Matched[Any, Any], seed: int = 0
) -> Difference:
    """Return how much better `run` is than `other`; raises BadEvaluation where they share no answer."""
    theirs = {row[0]: row for row in other.pairs}
    mine = [row for row in run.pairs if row[0] in theirs]
    if not mine:
        raise BadEvaluation("the runs share no answered question, so they cannot be compared")
    first, second = benchmark.tallies(mine), benchmark.tallies([theirs[row[0]] for row in mine])
    names, counts = _table([*first, *second])
    both = counts[: len(first)], counts[len(first) :]
    drawn = _drawn(len(first), seed)
    values = [_chiefs(benchmark, names, drawn @ part) for part in both]
    whole = [_chiefs(benchmark, names, part.sum(axis=0)[None])[0] for part in both]
    return Difference(difference=_interval(whole[0] - whole[1], values[0] - values[1]), n=len(mine))


def _table(tallies: Sequence[Counts]) -> tuple[list[Any], NDArray[np.float64]]:
    """Return the names of all counts and a (units, names) table of them."""
    names = list(dict.fromkeys(name for counts in tallies for name in counts))
    return names, np.array([[counts.get(name, 0) for name in names] for counts in tallies], np.float64)


def _drawn(units: int, seed: int) -> NDArray[np.float64]:
    """Return how often each unit is drawn, with replacement, in each round: (ROUNDS, units)."""
    weights = np.full(units, 1.0 / units)
    return np.random.default_rng(seed).multinomial(units, weights, size=ROUNDS).astype(np.float64)


def _chiefs(benchmark: Benchmark[Any, Any], names: Sequence[Any], sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chief metric of each row of summed counts."""
    rows = (dict(zip(names, row, strict=True)) for row in sums.tolist())
    return np.array([benchmark.metrics(row)[benchmark.chief] for row in rows])


def _interval(value: float, values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, (_LOW, _HIGH)).tolist()
    return Interval(value=float(value), low=low, high=high)
