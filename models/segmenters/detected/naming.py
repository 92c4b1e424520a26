"""Gives elements their text: what stands in them, and for fields and tick boxes the label beside or above.

Works in two steps, because reading is what costs: places first, then the lines that matter are read, then cut to the
elements' width.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.ranking.places import FIELD_ROLES, TICK_ROLES, field_text
from models.ranking.similarity import normalise
from models.segmenters.detected.labels import LabelPlaces, Piece, gaps
from models.segmenters.detected.letters import is_pictogram, without_bullet, without_sign
from models.segmenters.ocr import Box, PageText, TextLine

_MOST_LINES = 4
_WHOLE = 0.75  # a line that lies in an element by this share is its own in full, letters at the edge included
# A letter's place is known to about a third of its width; the next word begins half a line height further on.
_SLACK = 0.2
_MISSING, _STRAY = 1.0, 2  # two letters, in line heights and in letters


class Names:
    """The texts of one page's elements, found by place; nothing is read before `read`."""

    def __init__(self, text: PageText, elements: Sequence[tuple[Box, str]], em: float) -> None:
        """Find out which of the page's lines stand in or label `elements`, given as (box, role); `em` is a line's height."""
        self._text = text
        self._elements = elements
        lines = np.array(text.boxes, np.float32).reshape(-1, 4)
        boxes = np.array([box for box, _ in elements], np.float32).reshape(-1, 4)
        self._inside = _first_lines(_lines_inside(lines, boxes))  # (elements, lines)
        self._inner = _inner_elements(boxes)  # (elements, elements)
        self._labels = LabelPlaces(lines, elements, self._inside, self._inner, em).find()

    def read(self) -> list[str]:
        """Return the text of each element, empty where it has none."""
        wanted = set(np.flatnonzero(self._inside.any(axis=0)).tolist())
        wanted |= {piece.line for places in self._labels.values() for piece in places}
        found = {line.bbox_xyxy_px: line for line in self._text.read(wanted)}
        read = {index: found[box] for index in wanted if (box := self._text.boxes[index]) in found}
        return [self._name(index, read) for index in range(len(self._elements))]

    def unused(self) -> list[int]:
        """The lines that neither stand in an element nor label one."""
        labels = {piece.line for places in self._labels.values() for piece in places[:1]}
        return [line for line in range(len(self._text.boxes)) if line not in labels and not self._inside[:, line].any()]

    def text_right_px(self, index: int) -> float | None:
        """Where the text in an element ends; None if there is none."""
        ends = [self._text.boxes[line][2] for line in np.flatnonzero(self._inside[index])]
        return min(max(ends), self._elements[index][0][2]) if ends else None

    def _name(self, index: int, read: dict[int, TextLine]) -> str:
        role = self._elements[index][1]
        label = next((text for piece in self._labels.get(index, ()) if (text := _text_of(piece, read))), "")
        if role in TICK_ROLES:
            return label or _longer_than_a_sign(self._own_text(index, read))
        own = self._own_text(index, read)
        # What stands over a field may be a heading, and what stands in it its only name: both are told.
        both = role in FIELD_ROLES and label and own and normalise(own) != normalise(label)
        return field_text(label, own) if both else label or own

    def _own_text(self, index: int, read: dict[int, TextLine]) -> str:
        """What stands in an element and in none of the elements in it; all of it if nothing else is left."""
        box, role = self._elements[index]
        lines = [read[line] for line in np.flatnonzero(self._inside[index]).tolist() if line in read]
        inner = [self._elements[other][0] for other in np.flatnonzero(self._inner[index]).tolist()]
        parts = [part for line in lines for part in _outside(_cut(line, box), inner)]
        parts = [without_sign(without_bullet(part)) for part in parts if part.text and not is_pictogram(part)]
        if not parts and role != "icon-button":
            parts = [part for line in lines if (part := _cut(line, box)).text and not is_pictogram(part)]
        return " ".join(part.text for part in parts)


def _lines_inside(lines: NDArray[np.float32], boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(elements, lines): whose rows hold a line's middle and whose columns hold at least half a letter's worth of it."""
    middle = (lines[:, 1] + lines[:, 3]) / 2
    rows = (boxes[:, None, 1] <= middle) & (middle < boxes[:, None, 3])
    shared = np.minimum(boxes[:, None, 2], lines[:, 2]) - np.maximum(boxes[:, None, 0], lines[:, 0])
    enough = np.minimum(0.4 * (lines[:, 3] - lines[:, 1]), 0.5 * (lines[:, 2] - lines[:, 0]))
    return np.asarray(rows & (shared > enough), np.bool_)


def _first_lines(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave each element its first lines: a page of prose in a text area names nothing, and reading it took 1 s."""
    return np.asarray(inside & (np.cumsum(inside, axis=1) <= _MOST_LINES), np.bool_)


def _inner_elements(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(elements, elements): True where the second lies in the first and is smaller."""
    low, high = np.maximum(boxes[:, None, :2], boxes[:, :2]), np.minimum(boxes[:, None, 2:], boxes[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray((shared > 0.85 * area) & (area < area[:, None]), np.bool_)


def _cut(line: TextLine, box: Box) -> TextLine:
    """The part of a line that lies in a box, letters at the cut included where they are more in than out."""
    x0, _, x1, _ = line.bbox_xyxy_px
    if min(x1, box[2]) - max(x0, box[0]) > _WHOLE * (x1 - x0):
        return line
    slack = _SLACK * line.height_px
    low, high = max(x0, box[0] - slack), min(x1 + 0.01, box[2] + slack)
    return line.slice(*_at_words(line, low, high))


def _at_words(line: TextLine, low: float, high: float) -> tuple[float, float]:
    """Move the ends of a cut to the ends of the words that it goes through, where only a letter or two are missing."""
    if sum(not char.isspace() for char in line.text) != len(line.char_x_px):
        return low, high
    reach, start = _MISSING * line.height_px, 0
    for word in line.text.split():
        first, last = line.char_x_px[start], line.char_x_px[start + len(word) - 1]
        start += len(word)
        if first < low < (first + last) / 2 and low - first < reach:
            low = first
        if (first + last) / 2 < high <= last and last - high < reach:
            high = last + 0.01
    return low, high


def _outside(line: TextLine, boxes: Sequence[Box]) -> list[TextLine]:
    """The parts of a line that lie in none of `boxes`."""
    x0, y0, x1, y1 = line.bbox_xyxy_px
    taken = [(box[0], box[2]) for box in boxes if box[1] <= (y0 + y1) / 2 < box[3] and box[0] < x1 and box[2] > x0]
    if not taken:
        return [line]
    return [part for low, high in gaps(x0, x1, taken) if (part := line.slice(low, high)).text]


def _text_of(piece: Piece, read: dict[int, TextLine]) -> str:
    """The text of a piece, empty where nothing legible stands in it."""
    if piece.line not in read:
        return ""
    part = without_bullet(_whole_words(read[piece.line], piece.box))
    return "" if not part.text or is_pictogram(part) else part.text


def _whole_words(line: TextLine, box: Box) -> TextLine:
    """The part of a line in a box, without a letter or two of a word that lies elsewhere: an edge that is a little off."""
    part = _cut(line, box)
    first, _, rest = part.text.partition(" ")
    if part.text == line.text or len(first) > _STRAY or first in line.text.split():
        return part
    return part.slice(part.char_x_px[len(first)], box[2] + line.height_px) if rest else line.slice(0, 0)


def _longer_than_a_sign(text: str) -> str:
    """A reader takes ticks and dots for letters; what names a tick box has three at least."""
    return text if len(text) > 2 else ""
