"""Holds a listing to its marks: one line per mark in their order, of which the model writes only the names.

Whoever asks painted the marks and knows them. Left alone our small model goes on behind the last one, stops early, or
takes 17 for 1 where ids have gaps. Called by `local`; knows tokens by number only, no model and no prompt.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

MOST_NAME_TOKENS: Final = 24


class HeldLines:
    """Turns the likeliest next token into the one that is said; one object follows one answer from its start."""

    def __init__(self, heads: Sequence[Sequence[int]], newline: int, ends: frozenset[int]) -> None:
        """`heads[k]` are the tokens of line k before its name; from the second line on they begin with `newline`."""
        self._forced = deque(heads[0])
        self._left = deque(tuple(head) for head in heads[1:])
        self._breaks = ends | {newline}
        self._end = min(ends)
        self._name_tokens = 0

    def __call__(self, likeliest: int) -> int:
        """Return `likeliest` inside of a name, else what the form wants: the next line's head, or the end."""
        if self._forced:
            return self._forced.popleft()
        if likeliest not in self._breaks and self._name_tokens < MOST_NAME_TOKENS:
            self._name_tokens += 1
            return likeliest
        if not self._left:
            return self._end
        self._forced.extend(self._left.popleft())
        self._name_tokens = 0
        return self._forced.popleft()
