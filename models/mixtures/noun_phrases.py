"""The caption filter of LLaVA's pretraining and MMGiC's image captions: few captions for each noun phrase, rare ones first.

Phrases seen fewer than `SKIP_BELOW` times are passed over (their captions come in with other phrases); then from the rarest
on, a phrase takes captions until `CAP` of the chosen ones carry it (MMGiC, appendix G). Those that rarer phrases have
brought count: else the order would change nothing. Phrases are found by `models.grounding.noun_phrases`, not by spaCy.
"""

from array import array
from collections import Counter
from collections.abc import Iterable

from models.grounding.english import DETERMINERS
from models.grounding.noun_phrases import noun_phrases
from models.mixtures.draws import draw

SKIP_BELOW = 20
CAP = 50


def phrases(text: str) -> frozenset[str]:
    """Return the noun phrases of a caption in lower case, without the determiners before them."""
    return frozenset(filter(None, (_bare(text[s.char_start : s.char_end]) for s in noun_phrases(text))))


def _bare(phrase: str) -> str:
    words = phrase.lower().split()
    while words and words[0] in DETERMINERS:
        words = words[1:]
    return " ".join(words)


class PhraseTable:
    """The phrases of many captions, as numbers: four bytes per phrase of a caption."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._identities = array("Q")
        self._flat = array("I")
        self._ends = array("Q")

    def add(self, identity: int, found: Iterable[str]) -> None:
        """Add the next caption."""
        self._identities.append(identity)
        self._flat.extend(self._numbers.setdefault(phrase, len(self._numbers)) for phrase in sorted(found))
        self._ends.append(len(self._flat))

    def capped(self, *, seed: int, skip_below: int = SKIP_BELOW, cap: int = CAP) -> list[int]:
        """Return the indices of the captions that are taken, in order."""
        counts = Counter(self._flat)
        order = sorted((counts[n], phrase, n) for phrase, n in self._numbers.items() if counts[n] >= skip_below)
        carriers = self._carriers({number for _, _, number in order})
        taken: Counter[int] = Counter()
        chosen: set[int] = set()
        for _, _, number in order:
            for index in self._next(carriers[number], chosen, cap - taken[number], seed):
                chosen.add(index)
                taken.update(self._row(index))
        return sorted(chosen)

    def _row(self, index: int) -> "array[int]":
        return self._flat[self._ends[index - 1] if index else 0 : self._ends[index]]

    def _carriers(self, wanted: set[int]) -> dict[int, "array[int]"]:
        found = {number: array("I") for number in wanted}
        for index in range(len(self._ends)):
            for number in self._row(index):
                if number in found:
                    found[number].append(index)
        return found

    def _next(self, carriers: Iterable[int], chosen: set[int], count: int, seed: int) -> list[int]:
        free = [index for index in carriers if index not in chosen]
        return sorted(free, key=lambda index: draw(seed, "noun phrase", self._identities[index]))[: max(0, count)]
