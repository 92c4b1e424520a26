"""The grid as one picture: a panel per measure, a bar per arm, its 95 % interval, and a dot per seed. An SVG of our own.

Where listings of several numbers of pictures were taught, curves over that number come first: the paper's Figure 3, a line a size.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final
from xml.sax.saxutils import escape

from models.training.ablation.arms import lists
from models.training.ablation.report import MEASURES, Arms, Estimate, Group, Measure, estimate, groups_of

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
DASHES: Final = {"small": "none", "large": "5 3"}
Curve = list[tuple[int, Estimate]]


def draw(cells: Sequence[dict[str, Any]]) -> str:
    """Return the SVG: curves if there are any, then one row of panels for every size, budget and listing size."""
    groups = groups_of(cells)
    rows = [_curves_row(budget, some) for budget, some in _budgets(groups).items()]
    rows += [_bars_row(group, arms) for group, arms in groups.items()]
    wide = GAP + len(SHOWN) * (PANEL_WIDE + GAP)
    row_high = PANEL_HIGH + TOP + 46
    high = row_high * max(1, len(rows)) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" role="img">',
        "<title>The ablation: every arm, every measure, 95 % intervals</title>",
        f'<rect width="{wide}" height="{high}" fill="#ffffff"/>',
    ]
    for number, row in enumerate(rows):
        parts += [f'<g transform="translate(0 {number * row_high})">', *row, "</g>"]
    parts += _legend(high - 16)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars_row(group: Group, arms: Arms) -> list[str]:
    parts = [_heading(str(group))]
    for column, measure in enumerate(SHOWN):
        found = {arm: estimate(some, measure) for arm, some in arms.items()}
        parts += _panel(GAP + column * (PANEL_WIDE + GAP), TOP, measure.title, found)
    return parts


def _budgets(groups: dict[Group, Arms]) -> dict[str, dict[Group, Arms]]:
    """The groups that differ in nothing but size and pictures listed, by what they read; none where all list equally many."""
    found: dict[str, dict[Group, Arms]] = {}
    for group, arms in groups.items():
        found.setdefault(group.budget, {})[group] = arms
    return {budget: some for budget, some in found.items() if len({group.listed for group in some}) > 1}


def _curves_row(budget: str, groups: dict[Group, Arms]) -> list[str]:
    parts = [_heading(f"by pictures listed, {budget} (dashed: the large model)")]
    for column, measure in enumerate(SHOWN):
        parts += _curves(GAP + column * (PANEL_WIDE + GAP), measure, groups)
    return parts


def _curves(left: float, measure: Measure, groups: dict[Group, Arms]) -> list[str]:
    """One panel: a line for every size and arm that lists, over the logarithm of how many pictures it lists."""
    parts = _frame(left, TOP, measure.title)
    counts = sorted({group.listed for group in groups})
    width = math.log(counts[-1] / counts[0])
    at = {count: left + 12 + (PANEL_WIDE - 24) * math.log(count / counts[0]) / width for count in counts}
    curves: dict[tuple[str, str], Curve] = {}
    for group, arms in groups.items():
        for arm in filter(lists, arms):
            curves.setdefault((group.size, arm), []).append((group.listed, estimate(arms[arm], measure)))
    for (size, arm), curve in curves.items():
        for count, one in curve:
            x = at[count]
            parts.append(_interval(x, TOP, one))
            parts.append(f'<circle cx="{x:.1f}" cy="{_y(TOP, one.mean):.1f}" r="3" fill="{COLORS[arm]}"/>')
        for (before, one), (after, other) in pairwise(curve):
            parts.append(
                f'<line x1="{at[before]:.1f}" y1="{_y(TOP, one.mean):.1f}" x2="{at[after]:.1f}" '
                f'y2="{_y(TOP, other.mean):.1f}" stroke="{COLORS[arm]}" stroke-width="2" stroke-dasharray="{DASHES[size]}"/>'
            )
    for count, x in at.items():
        parts.append(
            f'<text x="{x:.1f}" y="{_y(TOP, 0) + 12:.1f}" font-size="9" fill="#444" text-anchor="middle">{count}</text>'
        )
    return parts


def _heading(text: str) -> str:
    return f'<text x="{GAP}" y="18" font-size="14" fill="#222">{escape(text)}</text>'


def _frame(left: float, top: float, title: str) -> list[str]:
    """A panel's title and its lines from 0 to 1."""
    parts = [f'<text x="{left}" y="{top - 6}" font-size="12" fill="#444">{escape(title)}</text>']
    for tenth in range(0, 11, 2):
        y = _y(top, tenth / 10)
        parts.append(f'<line x1="{left}" x2="{left + PANEL_WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e6ea"/>')
        parts.append(
            f'<text x="{left - 3}" y="{y + 3:.1f}" font-size="8" fill="#888" text-anchor="end">{tenth / 10:g}</text>'
        )
    return parts


def _interval(x: float, top: float, one: Estimate) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_y(top, one.low):.1f}" y2="{_y(top, one.high):.1f}" '
        'stroke="#222" stroke-width="1.4"/>'
    )


def _panel(left: float, top: float, title: str, found: dict[str, Estimate]) -> list[str]:
    parts = _frame(left, top, title)
    step = PANEL_WIDE / max(1, len(found))
    for number, (arm, one) in enumerate(found.items()):
        centre, bar = left + (number + 0.5) * step, step * 0.62
        top_y, foot_y = _y(top, one.mean), _y(top, 0)
        parts.append(
            f'<rect x="{centre - bar / 2:.1f}" y="{top_y:.1f}" width="{bar:.1f}" height="{foot_y - top_y:.1f}" '
            f'fill="{COLORS[arm]}" fill-opacity="0.75"/>'
        )
        parts.append(_interval(centre, top, one))
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
