"""Scores marks against the name of a thing by their text, role, colour and place. Documented rules, no model, no torch.

Called by `models.ranking.understand`, which knows what an instruction wants. The rules:

1. Text: `similarity` of the target's name with the mark's text, or at 0.93 with the label next to a field. Another wording
   of the same goal ("sign in", "Log in") counts 0.93 as well.
2. A text that is the label of a field yields to the field by 0.1; links, buttons and fields lead prose by 0.03.
3. Role words ("button", "search box") move the score by 0.06 up or 0.05 down; by 0.35 down where a mark of that role
   bears the name about as well: the search box is the field "Search stations", not the button "Search" beside it.
   What stands in a field is often a sentence about it: a field that holds every wanted word bears the name at 0.9.
4. Places and colours ("top left", "second", "below X", "blue") decide among marks that fit by text and role, or alone if no
   name is given; they are judged against the mark that fits them best. "X for Y" is the X on Y's card or in its row, where
   nothing is called so. A header, footer or sidebar is the top, the bottom or a side of the page, if what fits stands there.
5. The phrase as a whole is tried as a name too: "First Name" is a field, not the first of something. So is what is left of it
   without the word for a kind: where one mark alone bears that very name, "the Align left button" is that one, and nothing
   on the left. If it is of another kind, the word must be one that is said of anything, and nothing of the kind bear the name.
6. A verb wants roles as a word does ("type" a field, "turn on" a switch), of every reading of the phrase. For typing, a text
   like "Write your message" is what an empty field without a frame shows.
7. A mark whose icon was recognised bears the icon's name at 0.89 and what the icon often means at 0.87; at 0.6 where the wanted
   name only holds one of these ("Search mail"). What an icon only may mean counts 0.6 of that where a link, button or field has the
   name written on it: in a cart's row, "Remove" is that link and not the "−" beside the number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.ranking.icon_names import icon_of
from models.ranking.names import (
    ICON_MEANS,
    INTERACTIVE,
    LABEL_YIELDS,
    WHOLE_ICON,
    WHOLE_NAME,
    Candidate,
    Labels,
    find_labels,
    least_of,
    sole_bearer,
    text_scores,
)
from models.ranking.places import FIELD_ROLES, LABEL_ROLES, in_part, place_score, relation_score
from models.ranking.query import Target, names_alone, owned_target, parse_target, unquoted

Reason = Literal["text", "position", "role"]

_FITS, _MISFITS, _MISFITS_NAMED = 0.06, -0.05, -0.35
# By role alone: one of several, the only one, one that a place or a colour points out.
_OF_SEVERAL, _ONLY_ONE, _POINTED_OUT = 0.75, 0.9, 0.88
_OTHER_COLOR = 0.2
_ELSEWHERE = 0.3
_PALEST = 0.6  # a button's ground counts more than the ink on another one
_PLACEHOLDER = re.compile(
    r"^(?:type|write|enter|search|add|your|leave|say|ask|e\.?g\.?)\b.|(?:\.\.\.|…)$", re.IGNORECASE
)
_BESIDE = LABEL_YIELDS + INTERACTIVE + 0.01
_NAMED, _AS_GOOD = 0.6, 0.15
# A score that is clear, and what is left for the others.
_SURELY, _NOT_IT = 0.99, 0.9
_HALF = 0.5
_NOT_SO_MANY = 0.3
_OWNER_UNSEEN = 0.5  # "Open Font size" is no "Open" that belongs to a "Font size" which the screen does not show
_MISREAD = 0.12
# "mark 3", "[3]", "#3", "3": an id in place of a name.
_MARK_NAME = re.compile(r"^(?:(?:the )?mark )?\W{0,2}(?P<id>[0-9]{1,6}|[A-Z]{1,2})\W{0,2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A mark's score (0-1) and what it rests on most."""

    id: str
    score: float
    reason: Reason


def rank_named(
    phrase: str,
    candidates: Sequence[Candidate],
    roles: frozenset[str] = frozenset(),
    owner: str | None = None,
    *,
    literal: bool = False,
) -> list[Ranked]:
    """Return every candidate with its score for being the thing that `phrase` names, best first; empty for none.

    `roles` are what the verb is done to; with `owner` the thing is wanted that belongs to what is called so; `literal` takes no
    word of the phrase for anything but the name. Of equals fields lead, then reading order.
    """
    if not candidates:
        return []
    if "textbox" in roles:
        candidates = [_as_field(candidate) for candidate in candidates]
    labels = find_labels(candidates)
    if owner is not None or literal:
        target = Target(name=phrase, relation=None if owner is None else "of", anchor=owner)
        scores = _scores("", target, candidates, labels, roles)
        if owner is not None and _anchor(owner, candidates, labels) is None:
            scores = [(_OWNER_UNSEEN * score, reason) for score, reason in scores]
        return _sorted(scores, candidates)
    target = parse_target(phrase)
    if target.color is not None and not any(candidate.colors for candidate in candidates):
        target = replace(target, color=None)
    scores = _scores(phrase, target, candidates, labels, roles)
    owned = owned_target(phrase)
    if owned is not None and max(score for score, _ in scores) < WHOLE_NAME:
        scores = [
            max(one, other) for one, other in zip(scores, _scores("", owned, candidates, labels, roles), strict=True)
        ]
    if max(score for score, _ in scores) < _HALF:  # "the button Font size": no mark is called "button ..."
        for alone in names_alone(phrase):
            named = _with_roles(text_scores(alone.name, candidates, labels), candidates, roles or alone.roles)
            scores = [max(one, (name, "text")) for one, name in zip(scores, named, strict=True)]
    return _sorted(scores, candidates)


def _as_field(candidate: Candidate) -> Candidate:
    """The candidate, as a field where it shows what an empty field without a frame would."""
    shows = candidate.role in LABEL_ROLES - {"heading"} and _PLACEHOLDER.search(candidate.text or "") is not None
    return replace(candidate, role="textbox") if shows else candidate


def _sorted(scores: Sequence[tuple[float, Reason]], candidates: Sequence[Candidate]) -> list[Ranked]:
    ranked = [
        (score, index, Ranked(id=candidates[index].id, score=round(min(max(score, 0.0), 1.0), 4), reason=reason))
        for index, (score, reason) in enumerate(scores)
    ]
    order = _reading_order(candidates)
    # A checkbox and the label that wraps it have the same text; the box is what is meant.
    ranked.sort(key=lambda item: (-round(item[0], 4), candidates[item[1]].role not in FIELD_ROLES, order[item[1]]))
    return [item[2] for item in ranked]


def _scores(
    phrase: str, target: Target, candidates: Sequence[Candidate], labels: Labels, roles: frozenset[str]
) -> list[tuple[float, Reason]]:
    """Rules 1 to 6: the phrase taken apart and, unless it is empty, as a whole."""
    taken_apart = _structured(target, candidates, labels, roles)
    whole = _with_roles(text_scores(unquoted(phrase), candidates, labels), candidates, roles)
    scores: list[tuple[float, Reason]] = []
    # "Insert link": where something bears the whole phrase, "link" was no word for a role.
    borne = max(whole, default=0.0) >= WHOLE_ICON and bool(target.roles)
    for (parts, reason), name, candidate in zip(taken_apart, whole, candidates, strict=True):
        misread = borne and (candidate.role or "").lower() not in target.roles
        score = 0.97 * parts - (_MISREAD if misread else 0.0)
        # Where words were taken for a role or a place, the phrase must really be the name.
        whole_name = ICON_MEANS if icon_of(candidate.text) is not None else WHOLE_NAME
        fits = name >= score and (name >= whole_name or not _understood(target))
        scores.append((name, "text") if fits and phrase else (score, reason))
    bearer = _bearer(phrase, whole, candidates, roles)
    if bearer is None:
        return scores
    return [
        (max(score, _SURELY), "text") if index == bearer else (min(score, _NOT_IT), reason)
        for index, (score, reason) in enumerate(scores)
    ]


def _bearer(phrase: str, whole: Sequence[float], candidates: Sequence[Candidate], roles: frozenset[str]) -> int | None:
    """Rule 5: the one mark that bears what the phrase says beside the word for a kind, None where there is none.

    Nor where something else bears the `whole` phrase: "Insert link" is the icon of a chain, not the menu "Insert".
    """
    for alone in names_alone(phrase):
        bearer = sole_bearer(alone, candidates, roles)
        if bearer is None:
            continue
        if not any(score > max(whole[bearer], least_of(one)) for score, one in zip(whole, candidates, strict=True)):
            return bearer
    return None


def _understood(target: Target) -> bool:
    """True if some words of the phrase were taken for a role, a place or a count."""
    return bool(target.roles) or _points(target)


def _points(target: Target) -> bool:
    """True if the phrase says which one of several it is."""
    return bool(target.place_xy or target.anchor or target.color or target.part) or target.ordinal is not None


def _with_roles(texts: Sequence[float], candidates: Sequence[Candidate], roles: frozenset[str]) -> list[float]:
    """Rule 3: move the scores of names by whether the role is among `roles`; the same scores where there are none."""
    if not roles:
        return list(texts)
    fitting = [(candidate.role or "").lower() in roles for candidate in candidates]
    named = max((text for text, fits in zip(texts, fitting, strict=True) if fits), default=0.0)
    misfit = _MISFITS_NAMED if named >= max(_NAMED, max(texts) - _AS_GOOD) else _MISFITS
    return [
        min(1.0, text + (_FITS if fits else misfit)) if text > 0 else 0.0
        for text, fits in zip(texts, fitting, strict=True)
    ]


def _structured(
    target: Target, candidates: Sequence[Candidate], labels: Labels, verb_roles: frozenset[str]
) -> list[tuple[float, Reason]]:
    """Rules 3 and 4: text, then role, then place."""
    roles = target.roles or verb_roles
    pointed_out = _points(target)
    if target.name:
        bases = _with_roles(text_scores(target.name, candidates, labels), candidates, roles)
    else:
        bases = _by_role(candidates, target.roles, pointed_out=pointed_out)
    if not pointed_out:
        return [(base, "text" if target.name else "role") for base in bases]
    places = _places(target, bases, candidates, labels)
    if target.ordinal is not None and not any(places):  # "the second checkbox" where there is one: it is not that one
        return [(_NOT_SO_MANY * base, "position") for base in bases]
    best = max(bases)
    if target.name and best < 0.55:
        # Nothing bears the name: the words were a description, so the place decides alone.
        return [(0.4 * place, "position") for place in places]
    # Among equals the place decides; it cannot lift a mark that fits the words much worse.
    return [
        (0.75 * base + 0.25 * place * (base / best if best else 0.0), "position")
        for base, place in zip(bases, places, strict=True)
    ]


def _by_role(candidates: Sequence[Candidate], roles: frozenset[str], *, pointed_out: bool) -> list[float]:
    """Scores where no name is left: by role alone, or equal ones for a place to choose among."""
    if not roles:
        return [0.5 if pointed_out else 0.0] * len(candidates)
    fitting = [(candidate.role or "").lower() in roles for candidate in candidates]
    score = _POINTED_OUT if pointed_out else _ONLY_ONE if sum(fitting) == 1 else _OF_SEVERAL
    return [score if fits else 0.1 for fits in fitting]


def _places(target: Target, bases: list[float], candidates: Sequence[Candidate], labels: Labels) -> list[float]:
    """Place scores 0-1: the product of every place word and colour that was given."""
    scores = [1.0] * len(candidates)
    if target.color is not None:
        scores = _best_is_one([_in_color(candidate, target.color) for candidate in candidates], bases)
    if target.part is not None:
        scores = _in_part(target.part, scores, bases, candidates)
    if target.place_xy is not None:
        near = [place_score(one.bbox_xyxy_px, target.place_xy, one.size_hw) for one in candidates]
        scores = [score * fit for score, fit in zip(scores, _best_is_one(near, bases), strict=True)]
    if target.anchor and target.relation:
        anchor = _anchor(target.anchor, candidates, labels)
        if anchor is None:
            return [0.0] * len(candidates)
        other = candidates[anchor].bbox_xyxy_px
        near = [relation_score(one.bbox_xyxy_px, other, target.relation, one.size_hw) for one in candidates]
        near[anchor] = 0.0
        scores = [score * fit for score, fit in zip(scores, _best_is_one(near, bases), strict=True)]
    if target.ordinal is not None:
        order = _reading_order(candidates)
        # "The second red button", "the third link in the sidebar": only red ones are counted, only those.
        counted = target.color is not None or target.part is not None
        fits = [base * (scores[i] if counted else 1.0) for i, base in enumerate(bases)]
        fitting = sorted((i for i in range(len(candidates)) if fits[i] >= 0.8 * max(fits)), key=lambda i: order[i])
        wanted = fitting[target.ordinal] if -1 <= target.ordinal < len(fitting) else None
        scores = [score if index == wanted else 0.0 for index, score in enumerate(scores)]
    return scores


def _in_part(part: str, scores: list[float], bases: list[float], candidates: Sequence[Candidate]) -> list[float]:
    """The scores of what fits the words in that part of the page, less for what stands elsewhere; all of them where none is there.

    A sidebar of no known side is on the side on which more marks fit.
    """
    sides = ("left", "right") if part == "side" else (part,)
    least = 0.8 * max(bases, default=0.0)
    fitting = [
        [
            base >= least and in_part(one.bbox_xyxy_px, side, one.size_hw)
            for base, one in zip(bases, candidates, strict=True)
        ]
        for side in sides
    ]
    inside = max(fitting, key=sum)
    if not any(inside):
        return scores
    return [score * (1.0 if here else _ELSEWHERE) for score, here in zip(scores, inside, strict=True)]


def _in_color(candidate: Candidate, color: str) -> float:
    share = candidate.colors.get(color, 0.0)
    return _PALEST + (1 - _PALEST) * min(1.0, 2 * share) if share else _OTHER_COLOR


def _best_is_one(scores: Sequence[float], bases: Sequence[float]) -> list[float]:
    """Scores of a place, squared, in proportion to the best of those marks that fit the words best.

    "At the bottom right" may be said of a dialog in the middle; what lies half the screen away is not meant all the same.
    """
    fitting = max(bases, default=0.0) * 0.8
    best = max((score for score, base in zip(scores, bases, strict=True) if base >= fitting), default=0.0)
    return [min(1.0, score / max(best, 0.5)) ** 2 for score in scores]


def _anchor(name: str, candidates: Sequence[Candidate], labels: Labels) -> int | None:
    """Return the index of the mark that a place word speaks of: by its id ("left of [3]"), else by its text; None for no mark."""
    named = _MARK_NAME.match(name)
    for index, candidate in enumerate(candidates):
        if named is not None and candidate.id == named["id"]:
            return index
    # A field is called by its label, which stands somewhere else: what bears the name itself shows the place.
    scores = [
        score - (_BESIDE if candidates[index].role in FIELD_ROLES else 0.0)
        for index, score in enumerate(text_scores(name, candidates, labels))
    ]
    best = max(range(len(candidates)), key=lambda index: (scores[index], -index))
    # More than `_NAMED`: an icon that bears only part of the name is no anchor ("Font size menu", three lines that mean a menu).
    return best if scores[best] > _NAMED else None


def _reading_order(candidates: Sequence[Candidate]) -> list[int]:
    """Position of each candidate when read row by row, left to right."""
    row = 0.02 * max((candidate.size_hw[0] for candidate in candidates), default=1) or 1.0
    keys = [
        (round((one.bbox_xyxy_px[1] + one.bbox_xyxy_px[3]) / 2 / row), one.bbox_xyxy_px[0], index)
        for index, one in enumerate(candidates)
    ]
    ranks = {index: position for position, (_, _, index) in enumerate(sorted(keys))}
    return [ranks[index] for index in range(len(candidates))]
