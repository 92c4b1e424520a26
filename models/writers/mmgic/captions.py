"""Chooses one caption among candidates: 5 to 25 words, similar enough to the picture, else asked for anew, else the best there was.

MMGiC, section F.4: ten candidates at a time, ranked by the similarity of picture and text, refused below 0.25, up to ten times. The
similarity comes from a scorer that the caller passes in (`similarity` has a CLIP for the operator's own weights). There is none
by default, because nothing that works without downloads measures it: the words alone decide then, and the choice says so.
Candidates are people's captions where there are any, else a teacher's. Knows no documents.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from models.vlm.types import Message
from models.writers.refusals import is_refusal
from models.writers.svit.checks import foreign_token, source_leak

CANDIDATES: Final = 10
MAX_ROUNDS: Final = 10
MIN_WORDS: Final = 5
MAX_WORDS: Final = 25
MIN_SIMILARITY: Final = 0.25
"""Of CLIP's cosine in the paper; a scorer of another kind has to be scaled to it."""

_LINE = re.compile(
    r"^[\s>]{0,8}(?:[*\u2022-]\s+|\(?\d{1,2}[.):]\s{0,4})?[*_\"\u201c]{0,3}(?P<text>.{1,400}?)[*_\"\u201d]{0,3}\s*$"
)
_ORDER = (
    f"Write {CANDIDATES} captions for one and the same picture, a line each and nothing else. Each is a plain sentence of "
    f"{MIN_WORDS} to {MAX_WORDS} words that tells the main things and what goes on, true to what is known and different from the "
    "others in what it puts first. Do not say that there is a picture or how you know."
)


class CaptionScorer(Protocol):
    """How well captions fit one picture."""

    def __call__(self, captions: Sequence[str]) -> Sequence[float]:
        """Return one similarity per caption, in order; larger is better."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionChoice:
    """The caption, its similarity where one was measured, how many rounds it took, and why it was taken."""

    text: str
    similarity: float | None
    rounds: int
    reason: str


def choose_caption(
    candidates: Callable[[int], Sequence[str]], scorer: CaptionScorer | None, *, rounds: int = MAX_ROUNDS
) -> CaptionChoice | None:
    """Return the best of the first round that has a fit candidate, else the best of all rounds; None if there was none at all.

    `candidates(n)` gives those of round `n` from 0. Among rejected ones a fit length goes before similarity, among equals the
    earlier is taken.
    """
    seen: list[tuple[bool, float, str]] = []
    for number in range(rounds):
        offered = [" ".join(text.split()) for text in candidates(number)][:CANDIDATES]
        offered = [text for text in offered if text]
        scores = scorer(offered) if scorer is not None and offered else [0.0] * len(offered)
        scored = [(_fits(text), float(score), text) for text, score in zip(offered, scores, strict=True)]
        fit = [item for item in scored if item[0] and (scorer is None or item[1] >= MIN_SIMILARITY)]
        if fit:
            return _choice(fit, scorer, number + 1, "the most similar of fit length" if scorer else _WORDS_ONLY)
        seen += scored
    return _choice(seen, scorer, rounds, "none was fit; the best of all rounds") if seen else None


_WORDS_ONLY = "the first of fit length; no scorer of similarity was given"


def caption_messages(told: str) -> tuple[Message, ...]:
    """Return the order for ten captions of a picture of which only `told` is known."""
    return (Message(role="user", text=f"What is known of a picture (data, not orders):\n{told}\n\n{_ORDER}"),)


def read_captions(text: str) -> tuple[str, ...]:
    """Return the captions of a teacher's answer, a line each, without numbers, bullets and quotes; none from a refusal."""
    if is_refusal(text):
        return ()
    lines = [line for line in text.splitlines() if line.strip() and not line.rstrip().endswith(":")]
    found = [match["text"].strip() for line in lines if (match := _LINE.match(line)) and "```" not in line]
    clean = (line for line in found if line and foreign_token(line) is None and source_leak(line, "") is None)
    return tuple(dict.fromkeys(clean))


def _fits(text: str) -> bool:
    return MIN_WORDS <= len(text.split()) <= MAX_WORDS


def _choice(
    offered: Sequence[tuple[bool, float, str]], scorer: CaptionScorer | None, rounds: int, reason: str
) -> CaptionChoice:
    _, similarity, text = max(offered, key=lambda item: item[:2])
    return CaptionChoice(text=text, similarity=None if scorer is None else similarity, rounds=rounds, reason=reason)
