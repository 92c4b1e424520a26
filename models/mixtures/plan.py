"""The order of a mixture: which sample of which part, how often, in which stage, shuffled by draws.

Called by the dataset build after `choose`. Twenty-odd bytes per entry; the words are read again when they are written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.mixtures.choose import Chosen
from models.mixtures.draws import draw
from models.mixtures.recipe import Recipe

TEXT_ONLY_SHARE = 40_688 / 665_298
"""What ShareGPT's conversations without pictures are of LLaVA's 665K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One place in a mixture: sample `index` of `part`, without the rounds in `dropped`."""

    stage: int
    part: int
    index: int
    dropped: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """All places in order. `rows`: (N,) records of stage, part and index."""

    rows: NDArray[np.void]
    chosen: Sequence[Chosen]
    thinned: int
    """How many samples without picture `text_only_share` took out, repeats counted."""

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Entry]:
        for stage, part, index in self.rows:
            dropped = self.chosen[part].dropped.get(int(index), ())
            yield Entry(stage=int(stage), part=int(part), index=int(index), dropped=dropped)


_ROW = np.dtype([("stage", "u1"), ("part", "u2"), ("index", "u4"), ("draw", "u8"), ("pictured", "?")])


def arrange(recipe: Recipe, chosen: Sequence[Chosen]) -> Plan:
    """Return the order of what the parts gave; `chosen` follows the parts of the recipe."""
    numbers = {part.name: number for number, part in enumerate(chosen)}
    stages: list[NDArray[np.void]] = []
    thinned = 0
    for number, stage in enumerate(recipe.order()):
        rows = np.concatenate([_rows(recipe, chosen, number, numbers[name]) for name in stage.parts])
        if recipe.text_only_share is not None:
            whole = len(rows)
            rows = _thinned(rows, recipe.text_only_share)
            thinned += whole - len(rows)
        stages.append(rows[np.argsort(rows["draw"], kind="stable")] if recipe.shuffle else rows)
    return Plan(rows=np.concatenate(stages)[["stage", "part", "index"]], chosen=chosen, thinned=thinned)


def _rows(recipe: Recipe, chosen: Sequence[Chosen], stage: int, part: int) -> NDArray[np.void]:
    """The samples of a part in one stage, each as often as it is repeated, with the draw that places it."""
    given = chosen[part]
    indices = np.asarray(given.indices, np.int64)
    rows = np.zeros(len(indices) * given.repeat, _ROW)
    rows["stage"], rows["part"] = stage, part
    rows["index"] = np.tile(indices, given.repeat)
    rows["pictured"] = np.frombuffer(given.pictured, np.bool_)[rows["index"]] if len(rows) else False
    rows["draw"] = [
        draw(recipe.seed, f"order {stage}", given.identities[index], copy)
        for copy in range(given.repeat)
        for index in given.indices
    ]
    return rows


def text_only_room(pictured: int, share: float) -> int:
    """Return how many samples without picture may stand beside `pictured` ones to be at most `share` of all."""
    return pictured * 10**9 if share >= 1 else int(pictured * share / (1 - share) + 1e-9)


def _thinned(rows: NDArray[np.void], share: float) -> NDArray[np.void]:
    alone = np.flatnonzero(~rows["pictured"])
    room = text_only_room(len(rows) - len(alone), share)
    if len(alone) <= room:
        return rows
    order = alone[np.argsort(rows["draw"][alone], kind="stable")]
    keep = np.ones(len(rows), np.bool_)
    keep[order[room:]] = False
    return rows[keep]


def counts(plan: Plan, recipe: Recipe) -> Mapping[str, dict[str, int]]:
    """Return how many places each part has in each stage."""
    return {
        stage.name: {
            name: int(np.count_nonzero((plan.rows["stage"] == number) & (plan.rows["part"] == part)))
            for part, name in enumerate(given.name for given in plan.chosen)
            if name in stage.parts
        }
        for number, stage in enumerate(recipe.order())
    }
