"""Whether a text lists things as `1. ... 2. ...` (SoM-LLaVA, Table 1: the share of texts with a listing).

The paper shows such texts (A.6) and gives no rule. Ours: markers 1, 2, 3 ... in order without a gap, at least two, each
a number of at most two digits with `.`, `)`, `:` or in brackets, at the start of the text or of a line, or (with `.`, `)` or
brackets) after a blank; each followed on the same line by a blank and a word. So `1.5` and a year are no markers, a lone
`1.` is no list, and a list may stand in one line. What a person wrote as bullets or as `first, second` is not counted.
"""

import re
from collections.abc import Iterator

LEAST_ITEMS = 2
_STARTS_LINE = re.compile(r"^[ \t>*_#]*(?:\((\d{1,2})\)|(\d{1,2})[.):])[*_]*[ \t]+(?=\W{0,4}\w)", re.MULTILINE)
_IN_LINE = re.compile(r"(?:^|(?<=\s))(?:\((\d{1,2})\)|(\d{1,2})[.)])[ \t]+(?=\W{0,4}\w)", re.MULTILINE)


def has_listing(text: str) -> bool:
    """Whether the text holds a listing."""
    # Most texts of a corpus have neither digit: two searches for a character cost a tenth of a regular expression.
    if "1" not in text or "2" not in text:
        return False
    return next(runs(text), 0) > 0


def runs(text: str) -> Iterator[int]:
    """Yield the length of every listing in the text: lists of lines first, where there are none lists in one line."""
    found = [run for run in _runs(text, _STARTS_LINE) if run >= LEAST_ITEMS]
    yield from found or [run for run in _runs(text, _IN_LINE) if run >= LEAST_ITEMS]


def _runs(text: str, marker: re.Pattern[str]) -> Iterator[int]:
    """Lengths of maximal runs 1, 2, 3 ... of markers; another number between two markers ends a run."""
    length = 0
    for match in marker.finditer(text):
        number = int(match[1] or match[2])
        if number == length + 1:
            length += 1
            continue
        if length:
            yield length
        length = 1 if number == 1 else 0
    if length:
        yield length
