"""Scores listings and short answers by exact match after trimming; pure functions on text.

A listing is scored per item: the line of a mark is right when it carries the mark's own name. Lines about marks that
do not exist are counted apart, so that a model cannot gain by guessing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_NEXT: Final = re.compile(r"[,;.:]\s+(?=\[?[0-9]{1,3}\]?\s*[.:)]\s)")  # where one line holds several items
_LINE: Final = re.compile(
    r"^\s*(?:\[([0-9]{1,3})\]|([0-9]{1,3}|[A-Za-z]{1,2})\s*[.:)\-]|\[([A-Za-z]{1,2})\])\s*[.:)\-]?\s*(.+?)[\s.,;]*$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingScore:
    """How one or several listings did; `invented` are lines about marks that are not on the picture."""

    items: int = 0
    right: int = 0
    missing: int = 0
    invented: int = 0
    pictures: int = 0
    whole_right: int = 0

    @property
    def item_accuracy(self) -> float:
        """Right items among all true items; 0 when there are none."""
        return self.right / self.items if self.items else 0.0

    @property
    def picture_accuracy(self) -> float:
        """Pictures with every item right and nothing invented."""
        return self.whole_right / self.pictures if self.pictures else 0.0

    def __add__(self, other: "ListingScore") -> "ListingScore":
        """Both together."""
        return ListingScore(
            items=self.items + other.items,
            right=self.right + other.right,
            missing=self.missing + other.missing,
            invented=self.invented + other.invented,
            pictures=self.pictures + other.pictures,
            whole_right=self.whole_right + other.whole_right,
        )


def parse_listing(text: str) -> dict[str, str]:
    """Items such as `3. red circle`, `[3]: red circle` or `3) red circle` as mark -> name; the first of a mark counts.

    Items stand on lines of their own or behind each other as in the paper: `1. person, 2. cat, 3. dog.`
    """
    found: dict[str, str] = {}
    for line in _NEXT.sub("\n", text).splitlines():
        match = _LINE.match(line)
        if match:
            found.setdefault(match[1] or match[2] or match[3], match[4])
    return found


def score_listing(text: str, truth: Mapping[str, str]) -> ListingScore:
    """Score one listing against mark -> name."""
    said = parse_listing(text)
    right = sum(normal(said.get(mark, "")) == normal(name) for mark, name in truth.items())
    invented = sum(mark not in truth for mark in said)
    return ListingScore(
        items=len(truth),
        right=right,
        missing=sum(mark not in said for mark in truth),
        invented=invented,
        pictures=1,
        whole_right=int(right == len(truth) and invented == 0),
    )


def score_answers(said: Sequence[str], truth: Sequence[str]) -> float:
    """Share of answers that equal the truth; raises ValueError when the counts differ."""
    if not truth:
        return 0.0
    return sum(normal(one) == normal(two) for one, two in zip(said, truth, strict=True)) / len(truth)


def normal(text: str) -> str:
    """Lower case, single blanks, without a full stop at the end."""
    return " ".join(text.split()).rstrip(".").lower()
