"""What the grid found: means over seeds, 95 % intervals and paired differences to the base arm, as numbers and as a table.

Cells are compared that read equally many tokens, and, where cells were run anew with twice the tokens until that no longer helped,
the last of every arm and seed with each other.
Intervals are a bootstrap of both seeds and pictures (every arm answers about the same pictures, so differences are paired).
Three seeds show that seeds differ, hardly how much: the single seeds stand beside every mean. Loads no torch.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.training.ablation.arms import ARMS, lists
from models.training.ablation.talk import SPLITS

DRAWS: Final = 2_000
Counts = NDArray[np.float64]  # (pictures, columns), summed before a share or an F1 is taken
Record = dict[str, Any]
Arms = dict[str, list[Record]]  # by arm, its cells by seed
CONVERGED: Final = 0  # in place of a number of tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over seeds, its 95 % interval, and each seed's own."""

    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]

    def __str__(self) -> str:
        """`0.912 [0.893, 0.930]`."""
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One column of the table: how a cell's outcomes become counts, and counts a number."""

    name: str
    title: str
    counts: Callable[[dict[str, Any]], Counts]
    value: Callable[[Counts], float]


def _share(counts: Counts) -> float:
    return float(counts[0] / max(counts[1], 1.0))


def _f1(counts: Counts) -> float:
    """Mean of the three splits' F1, as POPE is reported; counts are true positives, false negatives, false positives."""
    parts = counts.reshape(len(SPLITS), 3)
    return float(np.mean([2 * tp / max(2 * tp + fn + fp, 1.0) for tp, fn, fp in parts]))


def _listwise(outcomes: dict[str, Any]) -> Counts:
    """The paper's: right / items of each picture, so that pictures and not items count alike."""
    return np.asarray([[right / items, 1.0] for right, items in outcomes["listing"]])


def _pope(condition: str) -> Callable[[dict[str, Any]], Counts]:
    def counted(outcomes: dict[str, Any]) -> Counts:
        columns = []
        for split in SPLITS:
            said = outcomes["pope"][condition][split]
            there, absent = np.asarray(list(said[0::2])), np.asarray(list(said[1::2]))
            columns += [there == "y", there == "n", absent == "y"]
        return np.stack(columns, axis=1).astype(np.float64)

    return counted


def _accuracy(condition: str) -> Callable[[dict[str, Any]], Counts]:
    """Right answers to POPE's questions: F1 alone rewards a model that always says yes."""

    def counted(outcomes: dict[str, Any]) -> Counts:
        said = [outcomes["pope"][condition][split] for split in SPLITS]
        pairs = [[text[2 * i : 2 * i + 2] for text in said] for i in range(len(said[0]) // 2)]
        return np.asarray(
            [[sum((p[0] == "y") + (p[1] == "n") for p in row), sum(2 * (p != "--") for p in row)] for row in pairs],
            np.float64,
        )

    return counted


MEASURES: Final = (
    Measure(name="listing", title="listing", counts=_listwise, value=_share),
    Measure(name="refer", title="referring", counts=lambda o: np.asarray(o["refer"], np.float64), value=_share),
    Measure(name="pope", title="POPE F1", counts=_pope("plain"), value=_f1),
    Measure(name="pope-tags", title="POPE F1, tags", counts=_pope("tags"), value=_f1),
    Measure(name="yes-no", title="POPE acc.", counts=_accuracy("plain"), value=_share),
    Measure(name="yes-no-tags", title="POPE acc., tags", counts=_accuracy("tags"), value=_share),
    Measure(name="short", title="short", counts=lambda o: np.asarray(o["short"]["plain"], np.float64), value=_share),
    Measure(
        name="short-tags", title="short, tags", counts=lambda o: np.asarray(o["short"]["tags"], np.float64), value=_share
    ),
)  # fmt: skip


def read_cells(folder: Path) -> list[Record]:
    """Every finished cell of a results folder, in a steady order."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "cells").glob("*.json"))]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Group:
    """Cells that are compared: of one size, with so many tokens (CONVERGED: as many as helped) and pictures listed."""

    size: str
    tokens: int
    listed: int

    def __str__(self) -> str:
        """Its heading."""
        return f"{self.size} model, {self.budget}, {self.listed} pictures listed"

    @property
    def budget(self) -> str:
        """How much its cells read."""
        return f"{self.tokens / 1e6:g} M tokens a cell" if self.tokens else "to convergence"


def groups_of(cells: Sequence[Record]) -> dict[Group, Arms]:
    """The cells in their groups; an arm that lists nothing stands in each whose arms list no more pictures than it has met."""
    matched = _grouped(cells)
    last: dict[tuple[Any, ...], Record] = {}
    for cell in sorted((one["cell"] | {"record": one} for one in cells), key=lambda c: int(c["tokens"])):
        last[cell["arm"], cell["seed"], cell["size"], cell["listing_pictures"]] = cell["record"]
    if len(last) == len(cells):
        return matched
    ended = [cell | {"cell": cell["cell"] | {"tokens": CONVERGED}} for cell in last.values()]
    return matched | _grouped(ended)


def _grouped(cells: Sequence[Record]) -> dict[Group, Arms]:
    wanted = {_own(cell) for cell in cells if lists(cell["cell"]["arm"])}
    found: dict[Group, Arms] = {}
    # Those that met fewer pictures come last and take the place of those that met more.
    for cell in sorted(cells, key=lambda c: -int(c["cell"]["listing_pictures"])):
        own, arm, seed = _own(cell), cell["cell"]["arm"], cell["cell"]["seed"]
        joined = [g for g in wanted if (g.size, g.tokens) == (own.size, own.tokens) and g.listed <= own.listed]
        for group in (joined or [own]) if not lists(arm) else [own]:
            kept = found.setdefault(group, {}).setdefault(arm, [])
            kept[:] = [other for other in kept if other["cell"]["seed"] != seed] + [cell]
    return {
        group: {arm: sorted(arms[arm], key=lambda c: int(c["cell"]["seed"])) for arm in ARMS if arm in arms}
        for group, arms in sorted(found.items())
    }


def _own(cell: Record) -> Group:
    told = cell["cell"]
    return Group(size=told["size"], tokens=told["tokens"], listed=told["listing_pictures"])


def estimate(cells: Sequence[Record], measure: Measure, against: Sequence[Record] = ()) -> Estimate:
    """A measure over the seeds of an arm; with `against`, its difference to another arm over the seeds both have."""
    mine = {int(cell["cell"]["seed"]): measure.counts(cell["outcomes"]) for cell in cells}
    other = {int(cell["cell"]["seed"]): measure.counts(cell["outcomes"]) for cell in against}
    seeds = sorted(set(mine) & set(other)) if against else sorted(mine)

    def value(seed: int, chosen: NDArray[np.int64] | slice) -> float:
        found = measure.value(mine[seed][chosen].sum(0))
        return found - measure.value(other[seed][chosen].sum(0)) if against else found

    single = tuple(value(seed, slice(None)) for seed in seeds)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(DRAWS):
        pictures = rng.integers(0, len(mine[seeds[0]]), len(mine[seeds[0]]))
        drawn.append(np.mean([value(int(seed), pictures) for seed in rng.choice(seeds, len(seeds))]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(mean=float(np.mean(single)), low=float(low), high=float(high), seeds=single)


def table(cells: Sequence[Record]) -> str:
    """Markdown: per group the measures of every arm, then the differences to the base arm."""
    parts = []
    for group, arms in groups_of(cells).items():
        parts.append(f"## {group}\n")
        parts.append(_rows(arms, estimate))
        if "base" in arms and len(arms) > 1:
            parts.append("Difference to `base`, same pictures and seeds:\n")
            rest = {arm: found for arm, found in arms.items() if arm != "base"}
            parts.append(_rows(rest, partial(estimate, against=arms["base"])))
    return "\n".join(parts)


def _rows(arms: Arms, cell: Callable[[list[Record], Measure], Estimate]) -> str:
    lines = [
        "| arm | seeds | " + " | ".join(measure.title for measure in MEASURES) + " |",
        "|---" * (len(MEASURES) + 2) + "|",
    ]
    for arm, found in arms.items():
        values = " | ".join(str(cell(found, measure)) for measure in MEASURES)
        lines.append(f"| {arm} | {len(found)} | {values} |")
    return "\n".join(lines) + "\n"
