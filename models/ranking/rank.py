"""Scores marks against a query by their text, role and place. Documented rules, no model, no torch.

Used for `act` and `refer` beside or instead of a model; the answer then says so in `decided_by`. The rules:

1. Text: `similarity` of the target's name with the mark's text, or at 0.93 with the label next to a field.
2. A text that is the label of a field yields to the field by 0.1; links, buttons and fields lead prose by 0.03.
3. Role words ("button", "search box") move the score by 0.06 up or 0.1 down; by 0.35 down where a mark of that role
   bears the name too: the search box is the field "Search stations", not the button "Search" beside it.
4. Places ("top left", "second", "below X") decide among marks that fit by text and role, or alone if no name is given.
5. The phrase as a whole is tried as a name too: "First Name" is a field, not the first of something.
"""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from models.ranking.places import FIELD_ROLES, LABEL_ROLES, Box, label_distance, place_score, relation_score
from models.ranking.query import Target, parse_action, parse_target
from models.ranking.similarity import similarity

Reason = Literal["text", "position", "role"]

_LABEL_WEIGHT = 0.93
_LABEL_YIELDS = 0.1
_INTERACTIVE = 0.03
_NAMED = 0.6
_WHOLE_NAME = 0.9
# "mark 3", "[3]", "#3", "3": an id in place of a name.
_MARK_NAME = re.compile(r"^(?:(?:the )?mark )?\W{0,2}(?P<id>[0-9]{1,6}|[A-Z]{1,2})\W{0,2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A mark as the ranker sees it; `size_hw` is the size of its image in pixels."""

    id: str
    text: str | None
    role: str | None
    bbox_xyxy_px: Box
    size_hw: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A mark's score (0-1) and what it rests on most."""

    id: str
    score: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Labels:
    """Which candidate names which field, by index."""

    of_field: dict[int, int]

    @property
    def used(self) -> frozenset[int]:
        return frozenset(self.of_field.values())


def rank(query: str, candidates: Sequence[Candidate]) -> list[Ranked]:
    """Return every candidate with its score, best first; of equals fields lead, then reading order. Empty for none."""
    if not candidates:
        return []
    phrase = parse_action(query).target
    target = parse_target(phrase)
    labels = _find_labels(candidates)
    whole = _text_scores(phrase, candidates, labels)
    taken_apart = _structured(target, candidates, labels)
    ranked = []
    for index, candidate in enumerate(candidates):
        score, reason = 0.97 * taken_apart[index][0], taken_apart[index][1]
        # Where words were taken for a role or a place, the phrase must really be the name.
        if whole[index] >= score and (whole[index] >= _WHOLE_NAME or not _understood(target)):
            score, reason = whole[index], "text"
        ranked.append((score, index, Ranked(id=candidate.id, score=round(min(max(score, 0.0), 1.0), 4), reason=reason)))
    order = _reading_order(candidates)
    # A checkbox and the label that wraps it have the same text; the box is what is meant.
    ranked.sort(key=lambda item: (-round(item[0], 4), candidates[item[1]].role not in FIELD_ROLES, order[item[1]]))
    return [item[2] for item in ranked]


def _understood(target: Target) -> bool:
    """True if some words of the phrase were taken for a role, a place or a count."""
    return bool(target.roles or target.place_xy or target.anchor) or target.ordinal is not None


def _text_scores(name: str, candidates: Sequence[Candidate], labels: _Labels) -> list[float]:
    """Rules 1 and 2 for one name."""
    own = [similarity(name, candidate.text or "") for candidate in candidates]
    scores = []
    for index, candidate in enumerate(candidates):
        score = own[index]
        if index in labels.of_field:
            score = max(score, _LABEL_WEIGHT * own[labels.of_field[index]])
        if score > 0:
            score -= _LABEL_YIELDS if index in labels.used else 0.0
            score -= _INTERACTIVE if (candidate.role or "") in LABEL_ROLES else 0.0
        scores.append(max(score, 0.0))
    return scores


def _structured(target: Target, candidates: Sequence[Candidate], labels: _Labels) -> list[tuple[float, Reason]]:
    """Rules 3 and 4: text, then role, then place."""
    has_place = target.place_xy is not None or target.ordinal is not None or target.anchor is not None
    texts = _text_scores(target.name, candidates, labels) if target.name else [0.0] * len(candidates)
    fitting = [(candidate.role or "").lower() in target.roles for candidate in candidates]
    named = max((text for text, fits in zip(texts, fitting, strict=True) if fits), default=0.0)
    misfit = 0.0 if not target.roles else -0.35 if named >= _NAMED else -0.1
    bases: list[float] = []
    for text, fits in zip(texts, fitting, strict=True):
        if target.name:
            bases.append(text + (0.06 if fits else misfit) if text > 0 else 0.0)
        elif target.roles:
            bases.append(0.75 if fits else 0.1)
        else:
            bases.append(0.5 if has_place else 0.0)
    if not has_place:
        return [(min(base, 1.0), "text" if target.name else "role") for base in bases]
    places = _places(target, bases, candidates, labels)
    best = max(bases)
    if target.name and best < 0.55:
        # Nothing bears the name: the words were a description, so the place decides alone.
        return [(0.4 * place, "position") for place in places]
    # Among equals the place decides; it cannot lift a mark that fits the words much worse.
    return [
        (0.75 * base + 0.25 * place * (base / best if best else 0.0), "position")
        for base, place in zip(bases, places, strict=True)
    ]


def _places(target: Target, bases: list[float], candidates: Sequence[Candidate], labels: _Labels) -> list[float]:
    """Place scores 0-1: the product of every place word that was given."""
    scores = [1.0] * len(candidates)
    if target.place_xy is not None:
        for index, candidate in enumerate(candidates):
            scores[index] *= place_score(candidate.bbox_xyxy_px, target.place_xy, candidate.size_hw)
    if target.anchor and target.relation:
        anchor = _anchor(target.anchor, candidates, labels)
        for index, candidate in enumerate(candidates):
            box, other = candidate.bbox_xyxy_px, candidates[anchor].bbox_xyxy_px
            near = relation_score(box, other, target.relation, candidate.size_hw) if index != anchor else 0.0
            scores[index] *= near
    if target.ordinal is not None:
        order = _reading_order(candidates)
        fitting = sorted(
            (index for index in range(len(candidates)) if bases[index] >= 0.8 * max(bases)), key=lambda i: order[i]
        )
        wanted = fitting[target.ordinal] if -1 <= target.ordinal < len(fitting) else None
        scores = [score if index == wanted else 0.0 for index, score in enumerate(scores)]
    return scores


def _anchor(name: str, candidates: Sequence[Candidate], labels: _Labels) -> int:
    """Return the index of the mark that a place word speaks of: by its id ("left of [3]"), else by its text."""
    named = _MARK_NAME.match(name)
    for index, candidate in enumerate(candidates):
        if named is not None and candidate.id == named["id"]:
            return index
    scores = _text_scores(name, candidates, labels)
    return max(range(len(candidates)), key=lambda index: (scores[index], -index))


def _find_labels(candidates: Sequence[Candidate]) -> _Labels:
    """Give each field the nearest text that can be its label."""
    texts = [index for index, one in enumerate(candidates) if (one.role or "").lower() in LABEL_ROLES and one.text]
    if not texts:
        return _Labels(of_field={})
    em = statistics.median(candidates[i].bbox_xyxy_px[3] - candidates[i].bbox_xyxy_px[1] for i in texts) * 1.3
    found: dict[int, int] = {}
    for index, candidate in enumerate(candidates):
        if not _wants_label(candidate, em):
            continue
        distances = [
            (distance, label)
            for label in texts
            if (distance := _distance(candidate, candidates[label], em)) is not None
        ]
        if distances:
            found[index] = min(distances)[1]
    return _Labels(of_field=found)


def _wants_label(candidate: Candidate, em: float) -> bool:
    """True for fields, and for buttons without text that are too wide for a mere icon, such as a colour picker."""
    role = (candidate.role or "").lower()
    wide = candidate.bbox_xyxy_px[2] - candidate.bbox_xyxy_px[0] > 1.8 * em
    return role in FIELD_ROLES or (role == "button" and not candidate.text and wide)


def _distance(field: Candidate, label: Candidate, em: float) -> float | None:
    """`label_distance`, where a field whose text is that very label counts as empty."""
    filled = (bool(field.text) and field.text != label.text) or field.role == "button"
    return label_distance(field.bbox_xyxy_px, (field.role or "").lower(), label.bbox_xyxy_px, em, filled=filled)


def _reading_order(candidates: Sequence[Candidate]) -> list[int]:
    """Position of each candidate when read row by row, left to right."""
    row = 0.02 * max((candidate.size_hw[0] for candidate in candidates), default=1) or 1.0
    keys = [
        (round((one.bbox_xyxy_px[1] + one.bbox_xyxy_px[3]) / 2 / row), one.bbox_xyxy_px[0], index)
        for index, one in enumerate(candidates)
    ]
    ranks = {index: position for position, (_, _, index) in enumerate(sorted(keys))}
    return [ranks[index] for index in range(len(candidates))]
