"""The first three words of questions as a sunburst: an SVG of our own, one ring per word. Called by `dataset stats`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

SIZE_PX = 720
_CENTRE = SIZE_PX / 2
_RINGS_PX = (70.0, 165.0, 255.0, 345.0)
# An arc under half a percent is thinner than a hair, a word needs its own height along the arc.
_LEAST_SHARE = 0.005
_WORD_PX = 11.0
_TONES = (205, 28, 152, 268, 350, 90, 182, 45, 240, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """One word at one place: ring 0 is the first word; angles in turns from the top, clockwise."""

    ring: int
    word: str
    start: float
    share: float
    tone: int


def draw(tree: dict[str, Any], title: str) -> str:
    """Return the SVG of `Beginnings.tree()`; what is too rare to see is left blank."""
    total = max(1, tree["count"])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE_PX} {SIZE_PX}" font-family="sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{SIZE_PX}" height="{SIZE_PX}" fill="#ffffff"/>',
        *(_arc(arc) for arc in _arcs(tree, total)),
        f'<text x="{_CENTRE:.0f}" y="{_CENTRE:.0f}" text-anchor="middle" font-size="17" fill="#222">{tree["count"]:,}</text>',
        f'<text x="{_CENTRE:.0f}" y="{_CENTRE + 18:.0f}" text-anchor="middle" font-size="12" fill="#555">questions</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _arcs(
    node: dict[str, Any], total: int, start: float = 0.0, ring: int = 0, tone: int | None = None
) -> Iterator[Arc]:
    for number, (word, child) in enumerate(node["next"].items()):
        share = child["count"] / total
        own = _TONES[number % len(_TONES)] if tone is None else tone
        if share >= _LEAST_SHARE and word:
            yield Arc(ring=ring, word=word, start=start, share=share, tone=own)
            if ring + 2 < len(_RINGS_PX):
                yield from _arcs(child, total, start, ring + 1, own)
        start += share


def _arc(arc: Arc) -> str:
    inner, outer = _RINGS_PX[arc.ring], _RINGS_PX[arc.ring + 1]
    # A whole circle would begin where it ends, which SVG draws as nothing.
    end = arc.start + min(arc.share, 0.9999)
    large = int(arc.share > 0.5)
    corners = [
        _at(radius, turn) for radius, turn in ((outer, arc.start), (outer, end), (inner, end), (inner, arc.start))
    ]
    path = (
        f"M{corners[0]} A{outer:.0f} {outer:.0f} 0 {large} 1 {corners[1]} "
        f"L{corners[2]} A{inner:.0f} {inner:.0f} 0 {large} 0 {corners[3]} Z"
    )
    told = escape(f"{arc.word}: {100 * arc.share:.1f} %")
    shape = (
        f'<path d="{path}" fill="hsl({arc.tone} 60% {58 + 11 * arc.ring}%)" stroke="#fff" stroke-width="1">'
        f"<title>{told}</title></path>"
    )
    return shape + _label(arc, (inner + outer) / 2, outer - inner)


def _label(arc: Arc, radius: float, room_px: float) -> str:
    """The word along its ray, upright on either side; none where it does not fit."""
    if 2 * math.pi * radius * arc.share < _WORD_PX or 0.58 * _WORD_PX * len(arc.word) > room_px:
        return ""
    turn = arc.start + arc.share / 2
    degrees = 360 * turn - 90 + (180 if turn % 1 > 0.5 else 0)
    x, y = _at(radius, turn).split()
    return (
        f'<text transform="translate({x} {y}) rotate({degrees:.1f})" text-anchor="middle" dominant-baseline="central"'
        f' font-size="{_WORD_PX:.0f}" fill="#1c1c1c">{escape(arc.word)}</text>'
    )


def _at(radius: float, turn: float) -> str:
    angle = 2 * math.pi * turn
    return f"{_CENTRE + radius * math.sin(angle):.2f} {_CENTRE - radius * math.cos(angle):.2f}"
