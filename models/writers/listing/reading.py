"""Reads a listing that a teacher wrote and says what is wrong with it: every mark once, in its own line, none invented.

Called by `taught` and by the corpus tools. Plain scanning; a leading sentence and a closing note are allowed.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_ID = r"(?:[0-9]{1,6}|[A-Z]{1,2})"
_HEAD = re.compile(
    rf"\[(?P<bracket>{_ID})\]|(?:[Mm]ark|[Tt]ag|ID)[ ]#?(?P<word>{_ID})(?![0-9A-Za-z])"
    rf"|(?P<plain>{_ID})(?=\*{{0,2}}[.):](?:[\s*]|$))"
)
_AFTER_HEAD = re.compile(r"[\s.):*\u2013-]{0,8}")
_BULLETS = "-*\u2022# "
MAX_LABEL_CHARS = 600
_NAMED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The label of each mark, in mark order, and the text made of them."""

    labels: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """`1. label` and so on, one per line."""
        return "\n".join(f"{mark_id}. {label}" for mark_id, label in self.labels)


def read_listing(text: str, ids: Sequence[str]) -> tuple[Listing | None, list[str]]:
    """Return the listing of `text` for the marks `ids`, and sentences on what is wrong with it; None if it has no line.

    A line that is indented below an item belongs to it. Of a mark that is named twice the first line is kept.
    """
    known = frozenset(ids)
    found: dict[str, str] = {}
    twice: dict[str, None] = {}
    invented: dict[str, None] = {}
    current: str | None = None
    for raw in text.splitlines():
        line = raw.strip().lstrip(_BULLETS)
        head = _HEAD.match(line)
        if head is None:
            if line and current is not None and raw[:1].isspace():
                found[current] = f"{found[current]} {line}".strip()
            else:
                current = None
            continue
        mark_id, label = head["bracket"] or head["word"] or head["plain"], _label(line[head.end() :])
        current = None
        if mark_id not in known:
            if _alike(mark_id, known):
                invented[mark_id] = None
        elif mark_id in found:
            twice[mark_id] = None
        else:
            found[mark_id] = label
            current = mark_id
    labels = tuple((mark_id, _label(found[mark_id])) for mark_id in ids if found.get(mark_id))
    missing = [mark_id for mark_id in ids if not found.get(mark_id)]
    return (Listing(labels=labels) if labels else None), _problems(missing, twice, invented, labels)


def _label(rest: str) -> str:
    start = _AFTER_HEAD.match(rest)
    return rest[start.end() if start else 0 :].strip().removesuffix(".").rstrip()


def _alike(mark_id: str, known: Collection[str]) -> bool:
    """Whether a line's head looks like one of these marks: `A.` on a picture with numbers is prose."""
    return any(mark_id.isdigit() == other.isdigit() for other in known)


def _problems(
    missing: Collection[str], twice: Collection[str], invented: Collection[str], labels: Sequence[tuple[str, str]]
) -> list[str]:
    problems = []
    if missing:
        problems.append(f"These marks have no line: {_named(missing)}.")
    if twice:
        problems.append(f"These marks have more than one line: {_named(twice)}.")
    if invented:
        problems.append(f"These marks are not on the picture: {_named(invented)}.")
    if long := [mark_id for mark_id, label in labels if len(label) > MAX_LABEL_CHARS]:
        problems.append(f"The lines of these marks are too long: {_named(long)}.")
    return problems


def _named(ids: Collection[str]) -> str:
    shown = list(ids)[:_NAMED]
    return ", ".join(shown) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
