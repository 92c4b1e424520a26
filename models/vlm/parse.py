"""Finds the marks that a model's words name, with their place in the text.

Called by `models.grounding`, evaluation and the chat routes. It is plain scanning in linear time: nothing is evaluated and every
repetition is bounded. It knows nothing of where a mark lies, only which ids exist.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

_DIGITS = r"[0-9]{1,6}"
_ID = rf"(?:{_DIGITS}|[A-Z]{{1,2}})"
_BRACKETED = rf"\[[ ]{{0,2}}(?P<inside>{_ID}(?:[ ]{{0,2}},[ ]{{0,2}}{_ID})*)[ ]{{0,2}}\]"
# "mark 3", "Mark #3", "mark number C"; not "mark 3.5", "mark 3,000", "Mark Twain".
_SINGULAR = rf"\b[Mm]ark:?[ ]{{1,2}}(?:#|number[ ]|no\.[ ])?(?P<one>{_ID})(?![0-9A-Za-z%]|[.,][0-9])"
_NEXT = r"(?:,[ ]{0,2}(?:and[ ]|or[ ])?|[ ](?:and|or|to|&)[ ]|[ ]?[-\u2013][ ]?)"
_PLURAL = rf"\b[Mm]arks:?[ ]{{1,2}}(?P<many>{_ID}(?![0-9A-Za-z%]|\.[0-9])(?:{_NEXT}#?{_ID}(?![0-9A-Za-z%]|\.[0-9]))*)"
_LINE = (
    rf"^[ \t]{{0,8}}(?:[-*\u2022][ \t]{{1,3}})?\*{{0,2}}(?P<line>{_DIGITS})(?:\*{{0,2}}[.):]|[.):]\*{{0,2}})(?=\s|$)"
)
_FORMS = re.compile(rf"{_BRACKETED}|{_SINGULAR}|{_PLURAL}|{_LINE}", re.MULTILINE)
_ID_INSIDE = re.compile(rf"(?<![A-Za-z]){_ID}(?![A-Za-z])")
_BARE = re.compile(rf"\s*(?P<one>{_ID})\s*\.?\s*\Z")
_LABEL_START = re.compile(r"[\s.):*\u2013-]{0,8}")
# Longer numbers in brackets are years and sums unless a mark really has that id.
_MAX_UNKNOWN_DIGITS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One place where the text names an existing mark: `text[char_start:char_end]` holds the id."""

    mark: str
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """All mentions in text order, without overlap, and the ids that look like marks but do not exist (each once)."""

    mentions: tuple[Mention, ...]
    unresolved: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """The mentioned marks, each once, in the order of their first mention."""
        return tuple(dict.fromkeys(mention.mark for mention in self.mentions))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedItem:
    """One line of a listing: the mark it starts with and the words after it."""

    mark: str
    label: str


def find_mentions(text: str, ids: Collection[str], *, bare: bool = False) -> Mentions:
    """Return what `text` names among `ids`.

    Forms: `[3]`, `[3, 7]`, `mark 3`, `marks 3 and 7`, and `3.` / `3:` / `3)` at the start of a line. Letters count only where
    `ids` has letters, and never at the start of a line. With `bare`, a text that is nothing but an id counts as well.
    """
    known = frozenset(ids)
    lettered = any(not mark_id.isdigit() for mark_id in known)
    mentions: list[Mention] = []
    unresolved: dict[str, None] = {}
    for found, start, end in _candidates(text, bare=bare):
        if found in known:
            mentions.append(Mention(mark=found, char_start=start, char_end=end))
        elif (found.isdigit() and len(found) <= _MAX_UNKNOWN_DIGITS) or (not found.isdigit() and lettered):
            unresolved[found] = None
    return Mentions(mentions=tuple(mentions), unresolved=tuple(unresolved))


def parse_listing(text: str, ids: Collection[str]) -> tuple[ListedItem, ...]:
    """Return the listed items of `text`: lines that begin with an existing mark, the first line of each mark."""
    known = frozenset(ids)
    items: dict[str, ListedItem] = {}
    for raw_line in text.splitlines():
        # Every form is accepted at the start of a line here, letters with a dot too: a listing has nothing else there.
        line = raw_line.strip().lstrip("-*\u2022 ")
        head = _LIST_HEAD.match(line)
        if head is None:
            continue
        mark_id = head["bracket"] or head["word"] or head["plain"]
        label = _clean_label(line[head.end() :])
        if mark_id in known and mark_id not in items and label:
            items[mark_id] = ListedItem(mark=mark_id, label=label)
    return tuple(items.values())


_LIST_HEAD = re.compile(
    rf"\[(?P<bracket>{_ID})\]|[Mm]ark[ ](?P<word>{_ID})(?![0-9A-Za-z])|(?P<plain>{_ID})(?=\*{{0,2}}[.):](?:[\s*]|$))"
)


def _clean_label(rest: str) -> str:
    start = _LABEL_START.match(rest)
    label = rest[start.end() if start else 0 :].strip()
    return label.removesuffix(".").rstrip()


def _candidates(text: str, *, bare: bool) -> Iterator[tuple[str, int, int]]:
    """Yield (id, start, end) of everything that has the form of a mention, in text order."""
    alone = _BARE.match(text) if bare else None
    if alone is not None:
        yield alone["one"], alone.start("one"), alone.end("one")
        return
    for form in _FORMS.finditer(text):
        match form.lastgroup:
            case "one":
                yield form["one"], form.start(), form.end()
            case "line":
                yield form["line"], form.start("line"), form.end("line")
            case "inside" if form["inside"].isalnum():
                yield form["inside"], form.start(), form.end()
            case group:
                first = form.start(group or 0)
                for inner in _ID_INSIDE.finditer(form[group or 0]):
                    yield inner[0], first + inner.start(), first + inner.end()
