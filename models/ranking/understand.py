"""Understands an instruction on a given screen: of its readings the one that the screen bears out, with every mark's score.

"Choose Express in Delivery" is a list's option where there is a list called Delivery, else the button "Express" near it.
Called by `models.grounding`; no model, no pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.ranking.instructions import ActionIntent, readings
from models.ranking.names import Candidate
from models.ranking.places import LABEL_ROLES, center
from models.ranking.rank import Ranked, rank_named
from models.ranking.similarity import normalise

CLEAR_SCORE = 0.85
# On 16 pages with 185 named elements the first was right in 154 of 156 cases at this margin, in 142 of 143 at 0.1; below it
# in 14 of 29.
CLEAR_MARGIN = 0.025
# Half a fit is enough against a small model's opinion: of 50 such cases on shared pages and on ours the ranker was right in 27, the
# shipped model beside it in 26, and what the ranker says does not change with a word elsewhere on the page.
ENOUGH_SCORE = 0.5
_LITERAL_SCORE = 0.95
_WRONG_ROLE, _LATER, _MUCH = 0.2, 0.02, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What is wanted, and how well each mark fits it, the best first."""

    intent: ActionIntent
    ranked: list[Ranked]


def understand(query: str, candidates: Sequence[Candidate], around: Sequence[Candidate] = ()) -> Understood:
    """Return the reading of `query` that fits `candidates` best, with all of them ranked for it.

    `around` are texts that cannot be chosen but may tell which candidate is meant: the name on a card, the first cell of a row.

    A control that bears the whole instruction for a name is meant ("Clear filters"); else the likeliest reading that has a
    clear answer of the right role; else the one with the best answer.
    """
    beside = _unmarked(candidates, around)
    role_of = {candidate.id: (candidate.role or "").lower() for candidate in candidates}
    tried: list[tuple[float, Understood]] = []
    for number, intent in enumerate(sorted(readings(query), key=lambda one: not one.literal)):
        ranked = rank_named(intent.target, [*candidates, *beside], intent.roles, intent.owner, literal=intent.literal)
        ranked = [one for one in ranked if one.id in role_of]
        understood = Understood(intent=intent, ranked=ranked)
        if not ranked:
            return understood
        role = role_of[ranked[0].id]
        if intent.literal:
            if ranked[0].score >= _LITERAL_SCORE and role not in LABEL_ROLES and is_clear(ranked):
                return understood
            continue
        fits = intent.type == "click" or role in intent.roles
        # "Open Night mode" where two bear that name is not the arrow beside it that may mean "open".
        before = max((score for score, _ in tried), default=0.0)
        if fits and is_clear(ranked) and ranked[0].score >= before - _MUCH:
            return understood
        tried.append((ranked[0].score - (0.0 if fits else _WRONG_ROLE) - _LATER * number, understood))
    return max(tried, key=lambda one: one[0])[1]


def _unmarked(candidates: Sequence[Candidate], around: Sequence[Candidate]) -> list[Candidate]:
    """The texts that are not a candidate's own."""
    return [text for text in around if not any(_is_in(text, candidate) for candidate in candidates)]


def _is_in(text: Candidate, candidate: Candidate) -> bool:
    x, y = center(text.bbox_xyxy_px)
    x0, y0, x1, y1 = candidate.bbox_xyxy_px
    inside = x0 <= x < x1 and y0 <= y < y1
    return inside and normalise(text.text or "") in normalise(candidate.text or "")


def rank(query: str, candidates: Sequence[Candidate]) -> list[Ranked]:
    """Return every candidate with its score for what `query` asks, best first; empty for none."""
    return understand(query, candidates).ranked


def is_clear(ranked: Sequence[Ranked]) -> bool:
    """Whether the best of `ranked` fits well and clearly better than the second."""
    second = ranked[1].score if len(ranked) > 1 else 0.0
    return bool(ranked) and ranked[0].score >= CLEAR_SCORE and ranked[0].score - second >= CLEAR_MARGIN


def is_enough(ranked: Sequence[Ranked]) -> bool:
    """Whether the best of `ranked` fits half: enough against a small model's opinion."""
    return bool(ranked) and ranked[0].score >= ENOUGH_SCORE
