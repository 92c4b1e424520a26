"""Which texts tell elements of one name apart: "Add to cart" six times on a page means nothing without what is above it.

Used by `models.segmenters.detected.finder`, which gives these texts marks of their own: an instruction such as "Remove in
the row of Ada" needs something to hold on to. Geometry and names only. Other prose gets no mark.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.segmenters.ocr import Box

_ABOVE = 2  # a card's title often stands above a price or a date
_REACH_EM = 6.0
_ASIDE_EM = 2.0


def telling_lines(
    elements: Sequence[tuple[Box, str]], lines: Sequence[Box], unused: Sequence[int], em: float
) -> list[int]:
    """Return which of the `unused` lines (indices into `lines`) tell apart `elements`, given as (box, name), of one name.

    In a row it is the row's first text, on a card the nearest texts above.
    """
    groups: dict[str, list[Box]] = defaultdict(list)
    for box, name in elements:
        if name:
            groups[name.casefold()].append(box)
    places = np.array([lines[index] for index in unused], np.float32).reshape(-1, 4)
    found: set[int] = set()
    for members in groups.values():
        for box in members if len(members) > 1 and len(unused) else ():
            others = np.array([other for other in members if other != box], np.float32).reshape(-1, 4)
            chosen = _in_row(box, others, places) or _above(box, others, places, em)
            found |= {unused[index] for index in chosen}
    return sorted(found)


def _in_row(box: Box, others: NDArray[np.float32], lines: NDArray[np.float32]) -> list[int]:
    """The first line in the element's row, behind the last of its namesakes there."""
    middle = (lines[:, 1] + lines[:, 3]) / 2
    beside = (others[:, 1] < box[3]) & (others[:, 3] > box[1]) & (others[:, 2] <= box[0])
    start = float(others[beside, 2].max()) if beside.any() else 0.0
    fits = (box[1] <= middle) & (middle < box[3]) & (lines[:, 2] <= box[0]) & (lines[:, 0] >= start)
    return [int(np.flatnonzero(fits)[lines[fits, 0].argmin()])] if fits.any() else []


def _above(box: Box, others: NDArray[np.float32], lines: NDArray[np.float32], em: float) -> list[int]:
    """The nearest lines above the element and below the last of its namesakes there."""
    over = (others[:, 3] <= box[1]) & (others[:, 0] < box[2]) & (others[:, 2] > box[0])
    top = max(float(others[over, 3].max()) if over.any() else 0.0, box[1] - _REACH_EM * em)
    aside = _ASIDE_EM * em
    fits = (lines[:, 3] <= box[1] + 0.3 * em) & (lines[:, 1] >= top) & (lines[:, 0] < box[2]) & (lines[:, 2] > box[0])
    fits &= lines[:, 0] > box[0] - aside
    order = np.flatnonzero(fits)
    return [int(index) for index in order[np.argsort(-lines[order, 3], kind="stable")][:_ABOVE]]
