"""Boxes and sizes as annotation files spell them. Called by readers; pure arithmetic."""

import math
from collections.abc import Sequence
from typing import Any

from models.facts import Box
from models.sources.records import BrokenRecord


def number(value: Any, name: str) -> float:
    """Return a finite number, also from text as CSV has it; raises BrokenRecord."""
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise BrokenRecord(f"`{name}` must be a number")
    return found


def from_corner_and_size(values: Any, name: str = "bbox") -> Box:
    """[x, y, width, height] -> (x0, y0, x1, y1), half-open; raises BrokenRecord unless they are four numbers."""
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != 4:
        raise BrokenRecord(f"`{name}` must be [x, y, width, height]")
    x, y, width, height = (number(value, name) for value in values)
    return x, y, x + width, y + height


def size_hw(width: Any, height: Any) -> tuple[int, int]:
    """Width and height of an image -> (height, width); raises BrokenRecord unless both are at least 1."""
    found = int(number(height, "height")), int(number(width, "width"))
    if min(found) < 1:
        raise BrokenRecord("`width` and `height` must be at least 1")
    return found
