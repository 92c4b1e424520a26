"""Mentions of marks in a text that is still being written: each is told once, as soon as no further word can change it.

`find_mentions` on the whole text stays the truth; what is told early is always part of what it finds in the end. Knows no model.
"""

import re
from collections.abc import Collection, Iterator

from models.vlm.parse import Mention, find_mentions

# "mark 3" may still become "mark 30", "mark 3.5" or "mark 3%": the longest look ahead of `parse` is 2 signs behind the id, or
# the 4 of "3.** " at the start of a line.
_LOOK_AHEAD = 5
_LIST_CHARS = 80
_OPENS = re.compile(r"\[[ ]{0,2}(?:[0-9A-Z]{1,6}[ ]{0,2},[ ]{0,2})*\Z")
_CLOSES = re.compile(r"(?:[ ]{0,2},[ ]{0,2}[0-9A-Z]{1,6})*[ ]{0,2}\]")


class LiveMentions:
    """Follows one text by its growing beginnings."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = frozenset(ids)
        self._told: set[Mention] = set()

    def settled(self, text: str) -> Iterator[Mention]:
        """Yield the mentions in `text`, the beginning of a text, that are certain now and were not told before."""
        for mention in find_mentions(text, self._ids).mentions:
            closed = _in_closed_bracket(text, mention)
            if (closed or mention.char_end + _LOOK_AHEAD <= len(text)) and mention not in self._told:
                self._told.add(mention)
                yield mention

    def rest(self, mentions: Collection[Mention]) -> Iterator[Mention]:
        """Yield those of the final `mentions` that were not told before."""
        yield from (mention for mention in mentions if mention not in self._told)


def _in_closed_bracket(text: str, mention: Mention) -> bool:
    """Whether the mention stands in `[3]` or `[3, 7]`: the closing bracket is there, and nothing can undo it."""
    if text[mention.char_start] == "[":
        return True
    before = text[max(0, mention.char_start - _LIST_CHARS) : mention.char_start]
    return _OPENS.search(before) is not None and _CLOSES.match(text, mention.char_end) is not None
