"""How well a finder ranks: a corpus with a few tagged pictures, drawn from seeds and look-alikes that training never met, or given.

Called by the command and the tests.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import drawings
from models.finder.examples import Example, example, example_of
from models.finder.net import Finder
from models.finder.ranking import Found, highest, precisions
from models.finder.search import scored
from models.regions import Regions

PICTURES: Final = 400
TAGGED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """`pictures` drawn pictures of which `tagged` carry marks; the same for one seed."""

    pictures: int = PICTURES
    tagged: int = TAGGED
    seed: int = 0

    def draw(self) -> Iterator[tuple[str, Example]]:
        """Yield the pictures with their names."""
        first = drawings.HELD_OUT_SEEDS.start + self.seed * self.pictures
        chosen = frozenset(Random(f"corpus-{self.seed}").sample(range(self.pictures), self.tagged))
        for number in range(self.pictures):
            yield f"{number:05d}", example(first + number, tagged=number in chosen, unseen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Somebody's pictures by name, of which `tagged`, chosen by the seed, are marked where `segment` finds regions.

    `read` returns (H, W, 3) uint8 RGB. A picture without regions stays untagged.
    """

    names: Sequence[str]
    read: Callable[[str], NDArray[np.uint8]]
    segment: Callable[[NDArray[np.uint8]], Regions]
    tagged: int = TAGGED
    seed: int = 0

    @property
    def pictures(self) -> int:
        """How many there are."""
        return len(self.names)

    def draw(self) -> Iterator[tuple[str, Example]]:
        """Yield the pictures with their names; raises what `read` and `segment` raise."""
        chosen = frozenset(Random(f"given-{self.seed}").sample(range(self.pictures), self.tagged))
        for number, name in enumerate(self.names):
            image = self.read(name)
            regions = self.segment(image) if number in chosen else None
            yield name, example_of(name, image, regions, self.seed + number)


def check(finder: Finder, corpus: Corpus | Given, told: Callable[[int], None] = lambda _done: None) -> dict[str, Any]:
    """Return precision at several k and the average precision, 0-1, and what the pictures above the last tagged one show."""
    found: list[Found] = []
    kinds: dict[str, str] = {}
    tagged: set[str] = set()
    for done, (name, drawn) in enumerate(corpus.draw(), 1):
        found.append(scored(finder, name, drawn.image))
        kinds[name] = drawn.kind
        if drawn.tagged:
            tagged.add(name)
        told(done)
    ranked = highest(found, len(found))
    wrong = [kinds[one.name] for one in ranked[: len(tagged)] if one.name not in tagged]
    figures = precisions([one.name for one in ranked], frozenset(tagged))
    return {
        "pictures": corpus.pictures,
        "tagged": len(tagged),
        "seed": corpus.seed,
        **figures,
        "wrongly_among_the_first": wrong,
    }
