"""SVIT's coreset: of each kind the half that speaks of more concepts, then as many of each kind.

The paper (sections 4.2 and 5.2) leaves open how the overlap is scored and whether the half is taken per kind. Here the
score is the number of different key words in the whole conversation, and the half is taken per kind, because short
conversations would otherwise vanish beside long descriptions.
"""

from collections.abc import Iterable, Sequence

from models.mixtures.concepts import concept_words
from models.mixtures.draws import draw
from models.mixtures.samples import Pair

KEPT_SHARE = 0.5
PER_KIND = 20_000
"""SVIT-80K: four kinds."""
CORE_SIZE = 157_712
"""SVIT-core-150K."""

Scored = tuple[int, int, int]
"""Index, identity, score."""


def overlap(pairs: Iterable[Pair]) -> int:
    """Return how many of the 120 key words stand in a conversation."""
    return len(concept_words(" ".join(part for pair in pairs for part in pair)))


def informative(scored: Sequence[Scored], *, seed: int, keep: float = KEPT_SHARE) -> list[int]:
    """Return the indices of the `keep` share with the highest scores, in order; of an odd number the larger part.

    Equal scores are decided by draw.
    """
    kept = -int(-len(scored) * keep // 1)
    best = sorted(scored, key=lambda one: (-one[2], draw(seed, "coreset", one[1])))
    return sorted(index for index, _, _ in best[:kept])


def sampled(identified: Iterable[tuple[int, int]], count: int, *, seed: int, purpose: str) -> list[int]:
    """Return the indices of `count` drawn ones of (index, identity), or of all where there are fewer, in order."""
    drawn = sorted(identified, key=lambda one: draw(seed, purpose, one[1]))
    return sorted(index for index, _ in drawn[:count])
