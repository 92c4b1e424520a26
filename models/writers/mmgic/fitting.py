"""Fits a document into a trainer's context: crops go one at a time, then the descriptions, else there is no document.

MMGiC, section F.7: 2,048 tokens. When the descriptions have gone there is room again, so crops come back as far as they fit: "as
many as fit" is the rule's own wish, and a dense image would else lose all of them. Counting is the caller's; `estimate_tokens`
stands in where no tokenizer is given. Knows no template.
"""

import re
from collections.abc import Callable
from typing import Final, TypeVar

MAX_TOKENS: Final = 2_048
IMAGE_TOKENS: Final = 576
"""LLaVA-1.5: 24 x 24 patches of a 336 px square."""
TURN_TOKENS: Final = 6
"""`USER: `, ` ASSISTANT:` and the end of an answer, for a question and its answer together some 12."""

_T = TypeVar("_T")
_PIECE = re.compile(r"[A-Za-z]+|\s*\n|[^\sA-Za-z]")
_LETTERS_PER_TOKEN = 4


def fit(
    render: Callable[[int, bool], _T | None],
    cost: Callable[[_T], int],
    *,
    crops: int,
    descriptions: bool,
    limit: int = MAX_TOKENS,
) -> tuple[_T, int, bool] | None:
    """Return the fullest text within `limit` tokens with its number of crops and whether descriptions stayed, or None.

    `render(crops, descriptions)` words a candidate, or returns None where there is nothing to word.
    """
    for told in (True, False) if descriptions else (False,):
        best: tuple[_T, int] | None = None
        low, high = 0, crops
        while low <= high:  # a crop more never costs less, so halving finds where one by one would end
            number = (low + high + 1) // 2
            made = render(number, told)
            if made is not None and cost(made) <= limit:
                best, low = (made, number), number + 1
            else:
                high = number - 1
        if best is not None:
            return *best, told
    return None


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a Llama tokenizer makes of English text: rather too many than too few.

    A digit, a sign and a line's end are one each, a word one per four letters begun, a letter of another script one per byte.
    """
    return sum(
        -(-len(piece) // _LETTERS_PER_TOKEN)
        if piece.isascii() and piece.isalpha()
        else len(piece.strip().encode()) or 1
        for piece in _PIECE.findall(text)
    )
