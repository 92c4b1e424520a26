"""The grid as one picture: a panel per measure, a bar per arm, its 95 % interval, and a dot per seed. An SVG of our own."""

from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from models.training.ablation.report import MEASURES, Estimate, estimate, groups_of

PANEL_WIDE: Final = 230
PANEL_HIGH: Final = 210
GAP: Final = 28
TOP: Final = 44
COLORS: Final = {
    "base": "#8a8f98",
    "base+listing": "#2f6fb5",
    "base+qa": "#c7772e",
    "base+listing+qa": "#3a8f5c",
    "base+dense": "#8d62a9",
}
SHOWN: Final = tuple(MEASURES[:6])


def draw(cells: Sequence[dict[str, Any]]) -> str:
    """Return the SVG: one row of panels for every size, budget and listing size."""
    groups = groups_of(cells)
    wide = GAP + len(SHOWN) * (PANEL_WIDE + GAP)
    row_high = PANEL_HIGH + TOP + 46
    high = row_high * max(1, len(groups)) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" role="img">',
        "<title>The ablation: every arm, every measure, 95 % intervals</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
    ]
    for row, ((size, tokens, listed), arms) in enumerate(groups.items()):
        top = row * row_high
        title = f"{size} model, {tokens / 1e6:g} M tokens a cell, {listed} pictures listed"
        parts.append(f'<text x="{GAP}" y="{top + 18}" font-size="14" fill="#222">{escape(title)}</text>')
        for column, measure in enumerate(SHOWN):
            found = {arm: estimate(some, measure) for arm, some in arms.items()}
            parts += _panel(GAP + column * (PANEL_WIDE + GAP), top + TOP, measure.title, found)
    parts += _legend(high - 16)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(left: float, top: float, title: str, found: dict[str, Estimate]) -> list[str]:
    parts = [f'<text x="{left}" y="{top - 6}" font-size="12" fill="#444">{escape(title)}</text>']
    for tenth in range(0, 11, 2):
        y = _y(top, tenth / 10)
        parts.append(f'<line x1="{left}" x2="{left + PANEL_WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e6ea"/>')
        parts.append(
            f'<text x="{left - 3}" y="{y + 3:.1f}" font-size="8" fill="#888" text-anchor="end">{tenth / 10:g}</text>'
        )
    step = PANEL_WIDE / max(1, len(found))
    for number, (arm, one) in enumerate(found.items()):
        centre, bar = left + (number + 0.5) * step, step * 0.62
        top_y, foot_y = _y(top, one.mean), _y(top, 0)
        parts.append(
            f'<rect x="{centre - bar / 2:.1f}" y="{top_y:.1f}" width="{bar:.1f}" height="{foot_y - top_y:.1f}" '
            f'fill="{COLORS[arm]}" fill-opacity="0.75"/>'
        )
        parts.append(
            f'<line x1="{centre:.1f}" x2="{centre:.1f}" y1="{_y(top, one.low):.1f}" y2="{_y(top, one.high):.1f}" '
            'stroke="#222" stroke-width="1.4"/>'
        )
        for k, value in enumerate(one.seeds):
            x = centre + bar * (k - (len(one.seeds) - 1) / 2) / 5
            parts.append(
                f'<circle cx="{x:.1f}" cy="{_y(top, value):.1f}" r="2.2" fill="#ffffff" stroke="#222" stroke-width="0.8"/>'
            )
        parts.append(
            f'<text x="{centre:.1f}" y="{foot_y + 12:.1f}" font-size="9" fill="#444" text-anchor="middle">'
            f"{one.mean:.2f}</text>"
        )
    return parts


def _y(top: float, value: float) -> float:
    return top + PANEL_HIGH * (1.0 - value)


def _legend(y: float) -> list[str]:
    parts, x = [], float(GAP)
    for arm, color in COLORS.items():
        parts.append(f'<rect x="{x}" y="{y - 9}" width="11" height="11" fill="{color}" fill-opacity="0.75"/>')
        parts.append(f'<text x="{x + 16}" y="{y}" font-size="12" fill="#222">{escape(arm)}</text>')
        x += 40 + 7.2 * len(arm)
    return parts
