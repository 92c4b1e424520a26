"""What placement takes and returns: a wish for a label, and the spot it got.

Shared by `layout` (pictures for people and large models) and `placement` (the small model's input). Knows no rules.
"""

import math
from dataclasses import dataclass

from models.marks.labels import label_width
from models.marks.visible import Part

Rect = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels, half-open
Line = tuple[float, float, float, float]  # from x, y to x, y


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A placed label: its pixel rectangle, and the line to its region where it stands off it."""

    rect: Rect
    leader: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one label needs: its text, its wished height, and what it must not hide.

    `element` keeps the region's middle free; `point_xy_px` is a caller's click point, which stays free of every label.
    """

    text: str
    height_px: int
    element: bool = False
    point_xy_px: tuple[float, float] | None = None


def anchor_of(part: Part, wish: Wish) -> tuple[int, int]:
    """Return the pixel (x, y) that no other label may cover, so that every region keeps a place to click."""
    if wish.point_xy_px is None:
        return part.anchor_xy
    return math.floor(wish.point_xy_px[0]), math.floor(wish.point_xy_px[1])


def label_size(text: str, height_px: int, size_hw: tuple[int, int]) -> tuple[int, int]:
    """Return a label's width and height in pixels, at most the frame's."""
    height_px = min(height_px, size_hw[0])
    return min(label_width(text, height_px), size_hw[1]), height_px
