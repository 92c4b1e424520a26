"""What the texts of a corpus are like: how many, how long, how questions begin, how many answers list (SVIT 3.4, SoM-LLaVA 3.2).

A text is an answer; LLaVA's mix665k has 3.36 million of them. Memory is that of the counters, whose beginnings are kept
to the most frequent. Called by `dataset stats`; knows no file.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.corpora.listing_format import has_listing

Beginning = tuple[str, ...]

DEPTH = 3
# Beginnings kept before the rare half is let go; 665,000 samples have about 100,000 different ones.
MOST_BEGINNINGS = 200_000
SHOWN = 100
_PLACE = re.compile(r"\s*<image>\s*")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(slots=True)
class Lengths:
    """Words of the texts of one role, counted by blanks as the papers do."""

    texts: int = 0
    words: int = 0
    longest: int = 0
    up_to: Counter[int] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """Count one text."""
        words = len(text.split())
        self.texts += 1
        self.words += words
        self.longest = max(self.longest, words)
        self.up_to[next((limit for limit in _LENGTHS if words <= limit), 0)] += 1

    def to_json(self) -> dict[str, Any]:
        """Counts, mean, longest, and how many have at most 1, 2, 5 ... words (`more`: over 500)."""
        mean = round(self.words / self.texts, 2) if self.texts else 0.0
        spread = {str(limit): self.up_to[limit] for limit in _LENGTHS} | {"more": self.up_to[0]}
        return {"texts": self.texts, "words": self.words, "mean": mean, "longest": self.longest, "up_to": spread}


@dataclass(slots=True)
class Beginnings:
    """The first words of questions. Above `most` different ones the rare half is let go into `rare`."""

    most: int = MOST_BEGINNINGS
    counts: Counter[Beginning] = field(default_factory=Counter)
    rare: int = 0

    def add(self, question: str) -> None:
        """Count one question."""
        words = tuple(match[0].lower() for match, _ in zip(_WORD.finditer(question), range(DEPTH), strict=False))
        self.counts[words] += 1
        if len(self.counts) > self.most:
            kept = self.counts.most_common(self.most // 2)
            self.rare += self.counts.total() - sum(count for _, count in kept)
            self.counts = Counter(dict(kept))

    def tree(self) -> dict[str, Any]:
        """First word -> second -> third, each `{"count", "next"}`, the most frequent first; "" ends a short question."""
        root: dict[str, Any] = {"count": 0, "next": {}}
        for words, count in self.counts.items():
            node = root
            node["count"] += count
            for word in words or ("",):
                node = node["next"].setdefault(word, {"count": 0, "next": {}})
                node["count"] += count
        return _sorted(root)


def _sorted(node: dict[str, Any]) -> dict[str, Any]:
    ordered = sorted(node["next"].items(), key=lambda item: (-item[1]["count"], item[0]))
    return {"count": node["count"], "next": {word: _sorted(child) for word, child in ordered}}


@dataclass(slots=True)
class Statistics:
    """Counts over samples in LLaVA's form. `broken` are those without readable turns."""

    samples: int = 0
    broken: int = 0
    with_image: int = 0
    listings: int = 0
    questions: Lengths = field(default_factory=Lengths)
    answers: Lengths = field(default_factory=Lengths)
    beginnings: Beginnings = field(default_factory=Beginnings)

    def add(self, sample: Any) -> None:
        """Count one sample; what is no sample is counted as broken."""
        turns = _turns(sample)
        if turns is None:
            self.broken += 1
            return
        self.samples += 1
        self.with_image += bool(sample.get("image"))
        for role, value in turns:
            if role == "gpt":
                self.answers.add(value)
                self.listings += has_listing(value)
            else:
                question = _PLACE.sub(" ", value).strip()
                self.questions.add(question)
                self.beginnings.add(question)

    def to_json(self) -> dict[str, Any]:
        """The report; shares are of answers (listings) and of questions (beginnings), in percent."""
        tree = self.beginnings.tree()
        total = self.beginnings.counts.total() + self.beginnings.rare
        common = self.beginnings.counts.most_common(SHOWN)
        return {
            "samples": self.samples,
            "broken": self.broken,
            "with_image": self.with_image,
            "questions": self.questions.to_json(),
            "answers": self.answers.to_json(),
            "listings": {"texts": self.listings, "percent": _percent(self.listings, self.answers.texts)},
            "first_words": {word: _percent(node["count"], total) for word, node in list(tree["next"].items())[:SHOWN]},
            "first_three_words": {" ".join(words): _percent(count, total) for words, count in common},
            "rare_beginnings": self.beginnings.rare,
        }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def _turns(sample: Any) -> list[tuple[str, str]] | None:
    stated = sample.get("conversations") if isinstance(sample, Mapping) else None
    if not isinstance(stated, list) or not stated:
        return None
    turns = []
    for turn in stated:
        role, value = (turn.get("from"), turn.get("value")) if isinstance(turn, Mapping) else (None, None)
        if not isinstance(role, str) or not isinstance(value, str):
            return None
        turns.append((role, value))
    return turns
