"""Which sense a label has, and a name that says so (MMGiC F.2, Visual Genome). Called by `cleaning`.

Objects with several synsets are dropped; one without takes the most frequent of its label; (label, synset) pairs that are
too rare are dropped; where a label keeps several senses, each gets a word in brackets.
"""

from collections import Counter
from collections.abc import Mapping

from models.sources.census import Pair

_WORDS = {"n": "noun", "v": "verb", "a": "adjective", "s": "adjective", "r": "adverb"}


class Senses:
    """The senses that are left of every label of a source."""

    def __init__(self, pairs: Mapping[Pair, int], least: int, words: Mapping[str, str] | None = None) -> None:
        """`pairs` counts the source; a pair seen fewer than `least` times is dropped; `words` names synsets for people."""
        self._words = words or {}
        self._usual = usual_senses(pairs)
        counts: Counter[Pair] = Counter()
        for (label, synset), number in pairs.items():
            if " " not in synset:
                counts[label, synset or self._usual.get(label, "")] += number
        self._kept = {pair for pair, number in counts.items() if number >= least}
        self._senses = Counter(label for label, _ in self._kept)

    def of(self, label: str, synset: str | None) -> str | None:
        """Return the object's synset, "" where its label has none at all; None where the object is to be dropped."""
        if synset is not None and " " in synset:
            return None
        found = synset or self._usual.get(label, "")
        return found if (label, found) in self._kept else None

    def name(self, label: str, synset: str) -> str:
        """Return the label, with a word for its sense where it has several: `batter (baseball player)`."""
        if self._senses[label] < 2 or not synset:
            return label
        return f"{label} ({self._words.get(synset) or sense_word(label, synset)})"


def usual_senses(pairs: Mapping[Pair, int]) -> dict[str, str]:
    """Return the most frequent synset of every label that has one; of equals the first in the alphabet."""
    best: dict[str, tuple[int, str]] = {}
    for (label, synset), number in pairs.items():
        if synset and " " not in synset:
            best[label] = min(best.get(label, (0, "")), (-number, synset))
    return {label: synset for label, (_, synset) in best.items()}


def sense_word(label: str, synset: str) -> str:
    """`spectacles.n.01` -> spectacles; where that is the label itself, its place in the dictionary: `noun 1`."""
    lemma, _, rest = synset.partition(".")
    lemma = lemma.replace("_", " ")
    if lemma and lemma != label:
        return lemma
    kind, _, number = rest.partition(".")
    return f"{_WORDS.get(kind, kind)} {number.lstrip('0')}".strip()
