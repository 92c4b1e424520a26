"""Where the label of each field and tick box stands on a page whose elements were detected. Geometry only, nothing is read.

Used by `models.segmenters.detected.naming`. What a label is to a field is said by `models.ranking.places`, so that the
ranker means the same by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ranking.places import FIELD_ROLES, TICK_ROLES, label_distance
from models.segmenters.ocr import Box

_TRIED = 2
_MARGIN = 0.12  # of a line's height lies above and below its letters
_ALIGNED_PX = 3.0
# Links may stand in a label, and plain labels are sometimes taken for one of these: they do not end it.
_TEXT_ROLES = frozenset({"link", "treeitem", "option", "menuitem", "columnheader"})
_SILENT_ROLES, _ICON_EM = frozenset({"button", "other"}), 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a line, by index, that can be a label; `free` if some of it lies in no element."""

    line: int
    box: Box
    free: bool


class LabelPlaces:
    """Looks for labels among the lines of one page."""

    def __init__(
        self,
        lines: NDArray[np.float32],
        elements: Sequence[tuple[Box, str]],
        inside: NDArray[np.bool_],
        inner: NDArray[np.bool_],
        em: float,
    ) -> None:
        """Take `lines` (L, 4) and `elements` (E) as (box, role); `em` is a line's height.

        `inside` (E, L) tells which lines lie in which element, `inner` (E, E) which elements lie in which.
        """
        self._elements, self._em = elements, em
        self._filled: NDArray[np.bool_] = np.asarray(inside.any(axis=1))
        self._fields = [index for index in range(len(elements)) if self._wants_label(index)]
        self._boxes = np.array([box for box, _ in elements], np.float32).reshape(-1, 4)
        frames = np.asarray(inner[:, self._fields].any(axis=1))
        self._ends: NDArray[np.bool_] = ~frames & np.array([role not in _TEXT_ROLES for _, role in elements], np.bool_)
        self._pieces = (
            [piece for line in range(len(lines)) for piece in self._cut(line, lines[line])] if self._fields else []
        )

    def find(self) -> dict[int, tuple[Piece, ...]]:
        """For every element that wants a label, by index, the nearest places where it can stand, best first."""
        free = [piece for piece in self._pieces if piece.free]
        places = {}
        for index in self._fields:
            filled = bool(self._filled[index])
            near = self._nearest(index, free, filled=filled)
            # What stands at an empty field like a label is its label, even if it was taken for an element.
            empty = not filled or self._elements[index][1] in TICK_ROLES
            places[index] = near or (self._nearest(index, self._pieces, filled=True) if empty else ())
        return places | self._in_columns(places, free)

    def _in_columns(self, places: dict[int, tuple[Piece, ...]], free: Sequence[Piece]) -> dict[int, tuple[Piece, ...]]:
        """Labels of filled fields that begin where others' do: alone they would stand too far off to be trusted."""
        starts = [
            found[0].box[0] for index, found in places.items() if found and found[0].box[2] <= self._boxes[index, 0]
        ]
        column = [piece for piece in free if any(abs(piece.box[0] - start) <= _ALIGNED_PX for start in starts)]
        alone = [index for index, found in places.items() if not found and self._elements[index][1] not in TICK_ROLES]
        return {index: found for index in alone if (found := self._nearest(index, column, filled=False))}

    def _wants_label(self, index: int) -> bool:
        """True for fields, and for what has no text of its own and is too wide for a mere icon, such as a colour picker."""
        (x0, _, x1, _), role = self._elements[index]
        silent = role in _SILENT_ROLES and x1 - x0 > _ICON_EM * self._em and not self._filled[index]
        return role in FIELD_ROLES or silent

    def _nearest(self, index: int, pieces: Sequence[Piece], *, filled: bool) -> tuple[Piece, ...]:
        """The places that can label a field, best first."""
        box, role = self._elements[index]
        distances = [
            (distance, order)
            for order, piece in enumerate(pieces)
            if (distance := label_distance(box, role, piece.box, self._em, filled=filled)) is not None
        ]
        return tuple(pieces[order] for _, order in sorted(distances)[:_TRIED])

    def _cut(self, index: int, line: NDArray[np.float32]) -> list[Piece]:
        """The stretches of a line between the elements that end a label, wide enough for a letter."""
        x0, y0, x1, y1 = (float(value) for value in line)
        middle, high = (y0 + y1) / 2, y1 - y0
        boxes = self._boxes
        over = (boxes[:, 1] <= middle) & (middle < boxes[:, 3]) & (boxes[:, 0] < x1) & (boxes[:, 2] > x0)
        free = _wide_gaps(x0, x1, boxes[over], high)
        return [
            Piece(
                line=index,
                box=(start, y0 + _MARGIN * high, end, y1 - _MARGIN * high),
                free=any(start <= left and right <= end for left, right in free),
            )
            for start, end in _wide_gaps(x0, x1, boxes[over & self._ends], high)
        ]


def _wide_gaps(x0: float, x1: float, boxes: NDArray[np.float32], height_px: float) -> list[tuple[float, float]]:
    """What `boxes` leave of a line from `x0` to `x1` where there is room for a letter."""
    found = gaps(x0, x1, [(float(box[0]), float(box[2])) for box in boxes])
    return [(low, high) for low, high in found if high - low > 0.4 * height_px]


def gaps(x0: float, x1: float, taken: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return what is left of [x0, x1) without the `taken` stretches, left to right."""
    found, start = [], x0
    for low, high in sorted(taken):
        if low > start:
            found.append((start, low))
        start = max(start, high)
    return [*found, (start, x1 + 0.01)] if start < x1 else found
