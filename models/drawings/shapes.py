"""Draws one object of a scene: eight shapes and six interface widgets, each in one colour.

`scenes` chooses place, size and colour; here is only the outline and the ink. Every object fills the box it is given,
and the silhouette is drawn twice: in colour on the picture and in white on a mask.
"""

import math
from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

Box = tuple[float, float, float, float]
Rgb = tuple[int, int, int]
Points = list[tuple[float, float]]
Pen = ImageDraw.ImageDraw


def is_wide(kind: str) -> bool:
    """True for widgets that are drawn about twice as wide as high."""
    return kind in ("button", "textfield", "slider", "toggle")


def draw_object(image: Image.Image, mask: Image.Image, kind: str, box: Box, rgb: Rgb, rng: Random) -> None:
    """Draw `kind` into `box` (pixels) of an RGB picture, and its silhouette into an 'L' mask of the same size."""
    ink, stencil = ImageDraw.Draw(image), ImageDraw.Draw(mask)
    if kind in _OUTLINES:
        points = _placed(_OUTLINES[kind](), box, math.radians(rng.uniform(-7, 7)) if kind != "circle" else 0.0)
        edge = _shade(rgb, 0.6) if rng.random() < 0.5 else None
        ink.polygon(points, fill=rgb, outline=edge, width=max(1, round((box[2] - box[0]) / 24)))
        stencil.polygon(points, fill=255)
        return
    stencil.rectangle(box, fill=255)
    _WIDGETS[kind](ink, box, rgb, rng)


def _placed(unit: Points, box: Box, angle_rad: float) -> Points:
    """Map points of the unit square [-1, 1] into a box, turned slightly about its centre."""
    cx, cy, rx, ry = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return [(cx + rx * (x * cos - y * sin), cy + ry * (x * sin + y * cos)) for x, y in unit]


def _ring(count: int, start_deg: float) -> Points:
    turns = [math.radians(start_deg + 360 * k / count) for k in range(count)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]


def _star() -> Points:
    return [
        (x * (1 if k % 2 == 0 else 0.42), y * (1 if k % 2 == 0 else 0.42)) for k, (x, y) in enumerate(_ring(10, -90))
    ]


def _cross() -> Points:
    a = 0.36
    return [(-a, -1), (a, -1), (a, -a), (1, -a), (1, a), (a, a), (a, 1), (-a, 1), (-a, a), (-1, a), (-1, -a), (-a, -a)]


def _heart() -> Points:
    turns = [2 * math.pi * k / 40 for k in range(40)]
    return [
        (
            math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) + 2.5) / 14.5,
        )
        for t in turns
    ]


_OUTLINES: dict[str, Callable[[], Points]] = {
    "circle": lambda: _ring(48, 0),
    "square": lambda: [(-0.92, -0.92), (0.92, -0.92), (0.92, 0.92), (-0.92, 0.92)],
    "triangle": lambda: [(0, -0.95), (0.98, 0.85), (-0.98, 0.85)],
    "star": _star,
    "diamond": lambda: _ring(4, -90),
    "hexagon": lambda: _ring(6, 0),
    "cross": _cross,
    "heart": _heart,
}


def _shade(rgb: Rgb, factor: float) -> Rgb:
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in rgb)
    return red, green, blue


def _contrast(rgb: Rgb) -> Rgb:
    return (40, 40, 44) if 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 150 else (236, 236, 236)


def _button(ink: Pen, box: Box, rgb: Rgb, rng: Random) -> None:
    x0, y0, x1, y1 = box
    high, wide = y1 - y0, x1 - x0
    ink.rounded_rectangle(box, radius=high * rng.uniform(0.15, 0.4), fill=rgb, outline=_shade(rgb, 0.65), width=2)
    for low in (0.34, 0.58):
        ink.rectangle((x0 + 0.2 * wide, y0 + low * high, x1 - 0.2 * wide, y0 + (low + 0.1) * high), fill=_contrast(rgb))


def _checkbox(ink: Pen, box: Box, rgb: Rgb, _rng: Random) -> None:
    x0, y0, x1, _ = box
    side = x1 - x0
    ink.rectangle(box, fill=_contrast(rgb), outline=rgb, width=max(3, round(side * 0.14)))
    tick = [
        (x0 + side * 0.25, y0 + side * 0.5),
        (x0 + side * 0.42, y0 + side * 0.7),
        (x0 + side * 0.76, y0 + side * 0.28),
    ]
    ink.line(tick, fill=rgb, width=max(3, round(side * 0.12)))


def _textfield(ink: Pen, box: Box, rgb: Rgb, _rng: Random) -> None:
    x0, y0, _, y1 = box
    high = y1 - y0
    ink.rectangle(box, fill=_contrast(rgb), outline=rgb, width=max(3, round(high * 0.14)))
    ink.rectangle((x0 + high * 0.35, y0 + high * 0.25, x0 + high * 0.46, y1 - high * 0.25), fill=rgb)


def _slider(ink: Pen, box: Box, rgb: Rgb, rng: Random) -> None:
    x0, y0, x1, y1 = box
    high, middle = y1 - y0, (y0 + y1) / 2
    knob = x0 + (x1 - x0) * rng.uniform(0.25, 0.75)
    ink.rounded_rectangle((x0, middle - high * 0.13, x1, middle + high * 0.13), radius=high * 0.12, fill=rgb)
    ink.ellipse(
        (knob - high * 0.42, y0 + high * 0.08, knob + high * 0.42, y1 - high * 0.08),
        fill=rgb,
        outline=_contrast(rgb),
        width=2,
    )


def _toggle(ink: Pen, box: Box, rgb: Rgb, rng: Random) -> None:
    x0, y0, x1, y1 = box
    high = y1 - y0
    left = x1 - high * 0.92 if rng.random() < 0.5 else x0 + high * 0.08
    ink.rounded_rectangle(box, radius=high / 2, fill=rgb)
    ink.ellipse((left, y0 + high * 0.1, left + high * 0.82, y1 - high * 0.1), fill=_contrast(rgb))


def _menu(ink: Pen, box: Box, rgb: Rgb, _rng: Random) -> None:
    x0, y0, x1, y1 = box
    high = y1 - y0
    for top in (0.06, 0.41, 0.76):
        ink.rectangle((x0, y0 + top * high, x1, y0 + (top + 0.19) * high), fill=rgb)


_WIDGETS: dict[str, Callable[[Pen, Box, Rgb, Random], None]] = {
    "button": _button,
    "checkbox": _checkbox,
    "textfield": _textfield,
    "slider": _slider,
    "toggle": _toggle,
    "menu": _menu,
}
