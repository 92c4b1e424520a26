"""Does a text about a marked picture still fit after a person has corrected the marks?

Asked when texts are listed and when a dataset is built. A corrected mark spoils a text that speaks of it, unless the text
says already what the correction says. Pure: marks come in as values.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.boxes import iou
from models.evaluation.listing import parse_listing
from models.facts import Box
from models.writers.types import TaggedMark

SAME_REGION_IOU = 0.5
"""As when marks keep their ids: a box redrawn within this overlap still means the same thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """The id of the newest revision of a text's mark set, and whether the text can be read with it."""

    newest: str
    fits: bool


def still_fits(
    kind: str, conversations: Sequence[Mapping[str, Any]], before: Sequence[TaggedMark], after: Sequence[TaggedMark]
) -> bool:
    """Whether every mark that the text speaks of is still there, is about the same place, and has the name it had.

    A listing speaks of all marks, so a new one spoils it; it fits a renamed mark whose line has the new name.
    """
    text = "\n".join(str(turn["value"]) for turn in conversations)
    now = {mark.id: mark for mark in after}
    if kind == "listing" and now.keys() != {mark.id for mark in before}:
        return False
    return all(_fits(text, mark, now.get(mark.id)) for mark in before if kind == "listing" or _speaks_of(text, mark.id))


def _fits(text: str, was: TaggedMark, now: TaggedMark | None) -> bool:
    if now is None or not _same_place(was.bbox_xyxy_px, now.bbox_xyxy_px):
        return False
    return _folded(was.name) == _folded(now.name) or _is_called(text, now)


def _same_place(was: Box, now: Box) -> bool:
    return was == now or iou(was, now) >= SAME_REGION_IOU


def _speaks_of(text: str, mark: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(mark)}(?![\w]|\.\d)", text) is not None


def _is_called(text: str, mark: TaggedMark) -> bool:
    """Whether a line `3. name` of the text has the mark's present name."""
    return _folded(parse_listing(text).get(mark.id)) == _folded(mark.name) != ""


def _folded(name: str | None) -> str:
    return " ".join((name or "").split()).casefold().rstrip(".")
