"""How well each mark bears a name: in its own text or another wording of it, by its icon, or by the label that stands beside it.

Used by `models.ranking.rank`, whose rules 1, 2, 5 and 7 these are. Knows no places, colours and verbs.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from models.ranking.goals import other_names
from models.ranking.icon_names import SPOKEN, icon_of
from models.ranking.places import (
    FIELD_ROLES,
    LABEL_ROLES,
    TICK_ROLES,
    Box,
    center,
    field_parts,
    label_distance,
)
from models.ranking.query import Alone, parse_target
from models.ranking.similarity import holds_words, similarity

_LABEL_WEIGHT = 0.93
_GOAL_WEIGHT = 0.93
_IN_FIELD = 0.9
_SHOWN_WEIGHT = 0.95
_TYPED_INTO = FIELD_ROLES - TICK_ROLES
LABEL_YIELDS = 0.1
INTERACTIVE = 0.03
WHOLE_NAME = 0.9
WHOLE_ICON = 0.8
_MEANT_BESIDE_WRITTEN = 0.6
_ICON_WEIGHT, ICON_MEANS, _ICON_PARTLY = 0.89, 0.87, 0.6
_THE_NAME = 0.98  # the same words, whatever their signs

_Called = Literal["written", "drawn", "meant"]
# How surely a mark is the one that is called so, by how it bears the name and whether it is of the kind that was spoken of.
_RANK: dict[tuple[_Called, bool], int] = {
    ("written", True): 0,
    ("drawn", True): 1,
    ("written", False): 2,
    ("meant", True): 3,
    ("drawn", False): 4,
    ("meant", False): 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A mark as the ranker sees it; `size_hw` is the size of its image in pixels.

    `colors` are the names of the colours that it shows with the share (0-1) that each takes; looked at only where a query
    names one.
    """

    id: str
    text: str | None
    role: str | None
    bbox_xyxy_px: Box
    size_hw: tuple[int, int]
    colors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Which candidate names which field, by index."""

    of_field: dict[int, int]

    @property
    def used(self) -> frozenset[int]:
        return frozenset(self.of_field.values())


def text_scores(name: str, candidates: Sequence[Candidate], labels: Labels) -> list[float]:
    """Rules 1 and 2 for one name."""
    others = other_names(name)
    own = [_likeness(name, others, candidate) for candidate in candidates]
    if any(like >= WHOLE_NAME and _is_written(one) for like, one in zip(own, candidates, strict=True)):
        pairs = zip(own, candidates, strict=True)
        own = [like * (_MEANT_BESIDE_WRITTEN if _only_means(name, one) else 1.0) for like, one in pairs]
    scores = []
    for index, candidate in enumerate(candidates):
        score = own[index]
        if index in labels.of_field:
            score = max(score, _LABEL_WEIGHT * own[labels.of_field[index]])
        if score > 0:
            score -= LABEL_YIELDS if index in labels.used else 0.0
            score -= INTERACTIVE if (candidate.role or "") in LABEL_ROLES else 0.0
        scores.append(max(score, 0.0))
    return scores


def _likeness(name: str, others: Sequence[str], candidate: Candidate) -> float:
    """How well a mark's text bears a name in its own or, if that is what it says, in another wording."""
    text = candidate.text or ""
    icon = icon_of(text)
    if icon is not None:
        return _icon_likeness(name, icon)
    likeness = similarity(name, text)
    parts = field_parts(text) if candidate.role in _TYPED_INTO else None
    if parts is not None:
        likeness = max(likeness, similarity(name, parts[0]), _SHOWN_WEIGHT * similarity(name, parts[1]))
    if likeness < _IN_FIELD and candidate.role in _TYPED_INTO and holds_words(text, name):
        likeness = _IN_FIELD
    worded = max((similarity(other, text) for other in others), default=0.0) if likeness < _GOAL_WEIGHT else 0.0
    return max(likeness, _GOAL_WEIGHT * worded if worded >= WHOLE_NAME else 0.0)


def _is_written(candidate: Candidate) -> bool:
    """True if the mark can be acted on and its text was read, not guessed from a drawing."""
    return icon_of(candidate.text or "") is None and (candidate.role or "") not in LABEL_ROLES


def _only_means(name: str, candidate: Candidate) -> bool:
    """True if the mark is an icon that is called otherwise, whatever it may stand for."""
    icon = icon_of(candidate.text or "")
    return icon is not None and similarity(name, icon) < WHOLE_NAME


def _icon_likeness(name: str, icon: str) -> float:
    """Rule 7: how well an icon bears a name; what is written leads what is drawn, its own name leads what else it may mean."""
    meant = max(similarity(name, other) for other in SPOKEN[icon])
    likeness = max(_ICON_WEIGHT * similarity(name, icon), ICON_MEANS * meant)
    # "Search mail", "Close dialog": the icon shows the part of the name that says what is done.
    partly = any(holds_words(name, one) for one in (icon, *SPOKEN[icon]))
    return max(likeness if likeness >= WHOLE_ICON else 0.0, _ICON_PARTLY if partly else 0.0)


def sole_bearer(alone: Alone, candidates: Sequence[Candidate], verb_roles: frozenset[str]) -> int | None:
    """Return the index of the one mark that bears a name just so, None for none and for several.

    What is written leads what is drawn, an icon's own name what else it may mean, and in each the kind that was spoken of any other.
    """
    kind, others = verb_roles or alone.roles, other_names(alone.name)
    may_be_other = alone.anything and not verb_roles
    # "Press the last button" speaks of a place, "press the Last button" of a name.
    is_name = bool(parse_target(alone.name).name)
    bearers: dict[int, list[int]] = {}
    for index, candidate in enumerate(candidates):
        of_kind = (candidate.role or "").lower() in kind
        if not of_kind and (not may_be_other or candidate.role in LABEL_ROLES):
            continue
        called = _called(alone.name, others, candidate) if is_name else _spelled(alone.name, candidate)
        if called is not None:
            bearers.setdefault(_RANK[called, of_kind], []).append(index)
    if not bearers:
        return None
    found = bearers[min(bearers)]
    written = [*bearers.get(_RANK["written", True], ()), *bearers.get(_RANK["written", False], ())]
    if (tick := _labelled_tick(written, candidates)) is not None:
        return tick
    # "Search:" beside "Search": the one with the same signs.
    same = [index for index in found if similarity(alone.name, candidates[index].text or "") == 1.0]
    return same[0] if len(same) == 1 else found[0] if len(found) == 1 else None


def _labelled_tick(bearers: Sequence[int], candidates: Sequence[Candidate]) -> int | None:
    """Return the one tick box among bearers of a name if all others wrap it or stand where its label does: these may be seen as buttons."""
    ticks = [index for index in bearers if candidates[index].role in TICK_ROLES]
    if len(ticks) != 1:
        return None
    box, role = candidates[ticks[0]].bbox_xyxy_px, candidates[ticks[0]].role or ""
    others = [candidates[index].bbox_xyxy_px for index in bearers if index != ticks[0]]
    x, y = center(box)
    labels = all(
        (one[0] <= x < one[2] and one[1] <= y < one[3]) or label_distance(box, role, one, one[3] - one[1]) is not None
        for one in others
    )
    return ticks[0] if labels else None


def _called(name: str, others: Sequence[str], candidate: Candidate) -> _Called | None:
    """In which way a mark bears that very name, None where it does not."""
    text, icon = candidate.text or "", icon_of(candidate.text)
    if similarity(name, text if icon is None else icon) >= _THE_NAME:
        return "written" if icon is None else "drawn"
    return "meant" if _likeness(name, others, candidate) >= least_of(candidate) else None


def _spelled(name: str, candidate: Candidate) -> _Called | None:
    """The same of a name that consists of words for places, counts and colours: it is one where it has the text's capitals."""
    return "written" if name != name.lower() and name.strip() == (candidate.text or "").strip() else None


def least_of(candidate: Candidate) -> float:
    """The score from which a mark bears a name rather than something like it; of icons less is known."""
    return WHOLE_NAME if icon_of(candidate.text) is None else _THE_NAME * ICON_MEANS


def find_labels(candidates: Sequence[Candidate]) -> Labels:
    """Give each field the nearest text that can be its label."""
    texts = [index for index, one in enumerate(candidates) if (one.role or "").lower() in LABEL_ROLES and one.text]
    if not texts:
        return Labels(of_field={})
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
    return Labels(of_field=found)


def _wants_label(candidate: Candidate, em: float) -> bool:
    """True for fields, and for buttons without text that are too wide for a mere icon, such as a colour picker."""
    role = (candidate.role or "").lower()
    wide = candidate.bbox_xyxy_px[2] - candidate.bbox_xyxy_px[0] > 1.8 * em
    return role in FIELD_ROLES or (role == "button" and not candidate.text and wide)


def _distance(field: Candidate, label: Candidate, em: float) -> float | None:
    """`label_distance`, where a field whose text is that very label counts as empty."""
    filled = (bool(field.text) and field.text != label.text) or field.role == "button"
    return label_distance(field.bbox_xyxy_px, (field.role or "").lower(), label.bbox_xyxy_px, em, filled=filled)
