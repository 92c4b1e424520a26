"""Boxes as SVIT's texts write them: four numbers from 0 to 1 on the picture padded to a square, with three decimals.

LLaVA-1.5 pads a picture to a square before it looks, so a box must be told on that square: moved by half the padding (cut
to a whole pixel) and divided by the long side (SVIT, section 5.1; its tool `expand_to_square`). Called by the writers, by
the parsers of their answers and wherever a box is asked for in words. Knows no objects and no sentences around a box.
"""

import re
from typing import Final

from models.facts import Box

DECIMALS: Final = 3
_NUMBER = r"[-+]?(?:\d{1,4}(?:\.\d{0,12})?|\.\d{1,12})"
_FOUR = (
    rf"({_NUMBER})\s{{0,4}}[,;]\s{{0,4}}({_NUMBER})\s{{0,4}}[,;]\s{{0,4}}({_NUMBER})\s{{0,4}}[,;]\s{{0,4}}({_NUMBER})"
)
BOX: Final = re.compile(rf"\[\s{{0,4}}{_FOUR}\s{{0,4}}\]|\(\s{{0,4}}{_FOUR}\s{{0,4}}\)")
"""Four numbers in square or round brackets, whatever their values."""


def padded_square_norm(bbox_xyxy_px: Box, size_hw: tuple[int, int]) -> Box:
    """Return a box of an image of `size_hw` on the image's padded square: each value in [0, 1], three decimals.

    What reaches over the image's edge is cut. A box thinner than half a thousandth of the square comes back without extent:
    see `has_extent`.
    """
    height, width = size_hw
    side = max(height, width)
    dx, dy = (side - width) // 2, (side - height) // 2
    left, top, right, bottom = bbox_xyxy_px

    def along(value: float, limit: int, shift: int) -> float:
        return round((min(max(value, 0.0), float(limit)) + shift) / side, DECIMALS)

    return along(left, width, dx), along(top, height, dy), along(right, width, dx), along(bottom, height, dy)


def from_padded_square(bbox_square_norm: Box, size_hw: tuple[int, int]) -> Box:
    """Return the box in pixels of the image that a box on its padded square means, cut to the image."""
    height, width = size_hw
    side = max(height, width)
    dx, dy = (side - width) // 2, (side - height) // 2
    left, top, right, bottom = (value * side for value in bbox_square_norm)

    def within(value: float, limit: int) -> float:
        return min(max(value, 0.0), float(limit))

    return within(left - dx, width), within(top - dy, height), within(right - dx, width), within(bottom - dy, height)


def has_extent(box: Box) -> bool:
    """Whether a box is one: inside [0, 1], x1 < x2 and y1 < y2."""
    left, top, right, bottom = box
    return 0.0 <= left < right <= 1.0 and 0.0 <= top < bottom <= 1.0


def box_text(box: Box) -> str:
    """`[0.588, 0.387, 0.692, 0.832]`."""
    return "[" + ", ".join(f"{value:.{DECIMALS}f}" for value in box) + "]"


def read_boxes(text: str) -> tuple[Box, ...]:
    """Every box in `text` in order, in whichever brackets; the values are not judged, see `has_extent`."""
    return tuple(box_of(match) for match in BOX.finditer(text))


def box_of(match: re.Match[str]) -> Box:
    """The box that a match of `BOX` holds."""
    left, top, right, bottom = (float(value) for value in match.groups() if value is not None)
    return left, top, right, bottom
