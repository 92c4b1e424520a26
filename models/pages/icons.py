"""Icons drawn for these pages: SVG shapes on a 24 x 24 grid, stroked or filled, and a few text glyphs.

Used by the widgets. All geometry was drawn here; a page picks one manner (width, caps, filled) for all its icons.
"""

import math
import random
from dataclasses import dataclass


def _gear(teeth: int = 8) -> str:
    points = []
    for step in range(teeth * 4):
        radius = 10 if step % 4 in (0, 1) else 7.2
        angle = 2 * math.pi * (step + 0.5) / (teeth * 4)
        points.append(f"{12 + radius * math.cos(angle):.1f} {12 + radius * math.sin(angle):.1f}")
    return "M" + "L".join(points) + "ZM15 12A3 3 0 1 1 9 12A3 3 0 1 1 15 12Z"


def _star() -> str:
    spokes = [(10 if i % 2 == 0 else 4.3, math.pi * (i / 5 - 0.5)) for i in range(10)]
    return "M" + "L".join(f"{12 + r * math.cos(a):.1f} {12.5 + r * math.sin(a):.1f}" for r, a in spokes) + "Z"


LINES = {  # open shapes: always stroked
    "plus": "M12 5V19M5 12H19",
    "minus": "M5 12H19",
    "close": "M6 6L18 18M18 6L6 18",
    "check": "M4 13L9 18L20 6",
    "up": "M5 15L12 8L19 15",
    "down": "M5 9L12 16L19 9",
    "left": "M15 5L8 12L15 19",
    "right": "M9 5L16 12L9 19",
    "arrow-up": "M12 20V4M5 11L12 4L19 11",
    "arrow-down": "M12 4V20M5 13L12 20L19 13",
    "arrow-left": "M20 12H4M11 5L4 12L11 19",
    "arrow-right": "M4 12H20M13 5L20 12L13 19",
    "menu": "M3 6H21M3 12H21M3 18H21",
    "search": "M17 10.5A6.5 6.5 0 1 1 4 10.5A6.5 6.5 0 1 1 17 10.5M15.5 15.5L21 21",
    "download": "M12 3V15M7 10L12 15L17 10M4 20H20",
    "upload": "M12 15V3M7 8L12 3L17 8M4 20H20",
    "refresh": "M20 12A8 8 0 1 1 17 6M17 2V6.5H12.5",
    "undo": "M8 5L3 10L8 15M3 10H15A6 6 0 0 1 15 21H11",
    "redo": "M16 5L21 10L16 15M21 10H9A6 6 0 0 0 9 21H13",
    "link": "M10 14A4 4 0 0 0 15.7 14L19 10.700A4 4 0 0 0 13.300 5L12 6.300M14 10A4 4 0 0 0 8.300 10L5 13.300A4 4 0 0 0 10.700 19L12 17.700",
    "external": "M14 4H20V10M20 4L11 13M18 14V20H4V6H10",
    "logout": "M10 4H4V20H10M9 12H21M17 8L21 12L17 16",
    "code": "M8 6L2 12L8 18M16 6L22 12L16 18",
    "list": "M8 6H21M8 12H21M8 18H21M3.500 6H4M3.500 12H4M3.500 18H4",
    "align-left": "M3 5H21M3 10H14M3 15H21M3 20H12",
    "align-center": "M3 5H21M7 10H17M3 15H21M8 20H16",
    "align-right": "M3 5H21M10 10H21M3 15H21M12 20H21",
    "sort": "M8 4V20M4 16L8 20L12 16M16 20V4M12 8L16 4L20 8",
    "sliders": "M4 6H10M14 6H20M12 4V8M4 12H6M10 12H20M8 10V14M4 18H14M18 18H20M16 16V20",
    "share": "M8 11L16 6M8 13L16 18M8 12A3 3 0 1 1 2 12A3 3 0 1 1 8 12M22 5A3 3 0 1 1 16 5A3 3 0 1 1 22 5M22 19A3 3 0 1 1 16 19A3 3 0 1 1 22 19",
    "activity": "M2 12H7L10 4L14 20L17 12H22",
    "expand": "M14 4H20V10M10 20H4V14M20 4L14 10M4 20L10 14",
    "wifi": "M2 9A14 14 0 0 1 22 9M5.500 13A9 9 0 0 1 18.500 13M9 16.500A4.500 4.500 0 0 1 15 16.500M12 20V20.100",
    "underline": "M6 3V11A6 6 0 0 0 18 11V3M4 21H20",
    "italic": "M10 4H18M6 20H14M15 4L9 20",
    "trend": "M3 17L9 11L13 15L21 6M15 6H21V12",
}
SHAPES = {  # closed shapes: stroked or filled
    "dots": "M7 12A2 2 0 1 1 3 12A2 2 0 1 1 7 12ZM14 12A2 2 0 1 1 10 12A2 2 0 1 1 14 12ZM21 12A2 2 0 1 1 17 12A2 2 0 1 1 21 12Z",
    "dots-v": "M14 5A2 2 0 1 1 10 5A2 2 0 1 1 14 5ZM14 12A2 2 0 1 1 10 12A2 2 0 1 1 14 12ZM14 19A2 2 0 1 1 10 19A2 2 0 1 1 14 19Z",
    "user": "M16.500 8A4.500 4.500 0 1 1 7.500 8A4.500 4.500 0 1 1 16.500 8ZM3.500 21C4 15.500 8 14 12 14S20 15.500 20.500 21Z",
    "home": "M3 11.500L12 3.500L21 11.500V21H14.500V14.500H9.500V21H3Z",
    "gear": _gear(),
    "bell": "M5 18C7 16 6 9 8 6.500C10 4 14 4 16 6.500C18 9 17 16 19 18ZM10 20H14L12 22Z",
    "mail": "M2.500 5H21.500V19H2.500ZM2.500 6L12 13L21.500 6Z",
    "calendar": "M3 5H21V21H3ZM3 9.500H21V10.500H3ZM7 2.500H8.500V6H7ZM15.500 2.500H17V6H15.500Z",
    "clock": "M21 12A9 9 0 1 1 3 12A9 9 0 1 1 21 12ZM11.300 6.500H12.700V12L16 14.500L15.300 15.700L11.300 12.800Z",
    "star": _star(),
    "heart": "M12 21C5 15.500 2.500 12 2.500 8.500C2.500 3.500 9 2 12 7C15 2 21.500 3.500 21.500 8.500C21.500 12 19 15.500 12 21Z",
    "trash": "M4 6H20V7.500H4ZM9 3H15V6H9ZM5.500 7.500H18.500L17.500 21.500H6.500Z",
    "pencil": "M3.500 20.500L4.500 15.500L16.500 3.500L20.500 7.500L8.500 19.500Z",
    "copy": "M8 8H21V21H8ZM3 3H16V6H6V16H3Z",
    "lock": "M5 11H19V21.500H5ZM7.500 11V8A4.500 4.500 0 0 1 16.500 8V11H14.500V8A2.500 2.500 0 0 0 9.500 8V11Z",
    "eye": "M1.500 12C6 4.500 18 4.500 22.500 12C18 19.500 6 19.500 1.500 12ZM15.500 12A3.500 3.500 0 1 1 8.500 12A3.500 3.500 0 1 1 15.500 12Z",
    "folder": "M2.500 5H10L12 7.500H21.500V20H2.500Z",
    "file": "M5 2.500H14L19 7.500V21.500H5ZM14 2.500V7.500H19Z",
    "image": "M2.500 4H21.500V20H2.500ZM5 17L10 10.500L13.500 14.500L16 12L19.500 17ZM9 8A1.500 1.500 0 1 1 6 8A1.500 1.500 0 1 1 9 8Z",
    "camera": "M2.500 7H7.500L9 4.500H15L16.500 7H21.500V19.500H2.500ZM16 13A4 4 0 1 1 8 13A4 4 0 1 1 16 13Z",
    "play": "M6.500 4L20 12L6.500 20Z",
    "pause": "M6 4.500H10V19.500H6ZM14 4.500H18V19.500H14Z",
    "stop": "M5.500 5.500H18.500V18.500H5.500Z",
    "next": "M5 5L15 12L5 19ZM16.500 5H19V19H16.500Z",
    "previous": "M19 5L9 12L19 19ZM5 5H7.500V19H5Z",
    "volume": "M3 9H7L12.500 4.500V19.500L7 15H3ZM15.500 8.500A5 5 0 0 1 15.500 15.500L14.500 14.500A3.600 3.600 0 0 0 14.500 9.500Z",
    "phone": "M4 3.500H9L10.500 8.500L8 10.500C9.500 13.500 10.500 14.500 13.500 16L15.500 13.500L20.500 15V20C12 21.500 2.500 12 4 3.500Z",
    "chat": "M2.500 4H21.500V17H11L6 21.500V17H2.500Z",
    "send": "M2 3L22 12L2 21L5 13.500L14 12L5 10.500Z",
    "cart": "M1.500 3H5L6 6H21.500L18.500 15.500H8L4 4.500H1.500ZM11 19.500A1.700 1.700 0 1 1 7.600 19.500A1.700 1.700 0 1 1 11 19.500ZM18.500 19.500A1.700 1.700 0 1 1 15.100 19.500A1.700 1.700 0 1 1 18.500 19.500Z",
    "bag": "M4.500 8H19.500L21 21.500H3ZM8 8A4 4 0 0 1 16 8H14.300A2.300 2.300 0 0 0 9.700 8Z",
    "tag": "M2.500 2.500H12L21.500 12L12 21.500L2.500 12ZM8.500 7A1.500 1.500 0 1 1 5.500 7A1.500 1.500 0 1 1 8.500 7Z",
    "filter": "M2.500 4H21.500L14.500 12.500V19L9.500 21.500V12.500Z",
    "grid": "M3 3H10.500V10.500H3ZM13.500 3H21V10.500H13.500ZM3 13.500H10.500V21H3ZM13.500 13.500H21V21H13.500Z",
    "bars": "M3 21V12H7.500V21ZM9.800 21V3.500H14.300V21ZM16.500 21V8.500H21V21Z",
    "pie": "M11 3A9 9 0 1 0 20 13H11ZM14 2.500A8 8 0 0 1 21 10H14Z",
    "pin": "M12 22C7 15.500 4.500 12.500 4.500 9.500A7.500 7.500 0 1 1 19.500 9.500C19.500 12.500 17 15.500 12 22ZM14.800 9.500A2.800 2.800 0 1 1 9.200 9.500A2.800 2.800 0 1 1 14.800 9.500Z",
    "globe": "M21.500 12A9.500 9.500 0 1 1 2.500 12A9.500 9.500 0 1 1 21.500 12ZM12 2.500C6.500 8 6.500 16 12 21.500C17.500 16 17.500 8 12 2.500Z",
    "moon": "M20.500 14.500A9 9 0 1 1 10 3.500A7 7 0 0 0 20.500 14.500Z",
    "cloud": "M6 19A4.500 4.500 0 0 1 6 10A6 6 0 0 1 17.500 9.500A4.800 4.800 0 0 1 18 19Z",
    "bolt": "M13.500 2L4.500 14H11L9.500 22L19.500 9.500H12.500Z",
    "flag": "M4.500 2.500H6.500V4H20L17 8.500L20 13H6.500V21.500H4.500Z",
    "bookmark": "M5.500 2.500H18.500V21.500L12 16L5.500 21.500Z",
    "printer": "M6.500 2.500H17.500V7H6.500ZM2.500 8H21.500V17H18V13.500H6V17H2.500ZM7 14.500H17V21.500H7Z",
    "disk": "M3 3H17.500L21 6.500V21H3ZM7 3H16V8.500H7ZM6.500 13H17.500V21H6.500Z",
    "help": "M21.500 12A9.500 9.500 0 1 1 2.500 12A9.500 9.500 0 1 1 21.500 12ZM8.500 9.500A3.500 3.500 0 1 1 13 12.800V14H11V11.500A2 2 0 1 0 10 9.500ZM11 16H13V18H11Z",
    "info": "M21.500 12A9.500 9.500 0 1 1 2.500 12A9.500 9.500 0 1 1 21.500 12ZM11 10.500H13V17.500H11ZM11 6.500H13V8.500H11Z",
    "warning": "M12 2.500L22.500 21H1.500ZM11 9.500H13V15H11ZM11 16.500H13V18.500H11Z",
    "key": "M13 15.500A5.500 5.500 0 1 1 15.500 13L22 6.500V3H18.500L17 4.500V7H14.500ZM8 16.500A1.500 1.500 0 1 1 5 16.500A1.500 1.500 0 1 1 8 16.500Z",
    "database": "M3.500 5A8.500 3 0 1 1 20.500 5A8.500 3 0 1 1 3.500 5ZM3.500 7.500C6 10 18 10 20.500 7.500V12C18 14.500 6 14.500 3.500 12ZM3.500 14.500C6 17 18 17 20.500 14.500V19C18 21.800 6 21.800 3.500 19Z",
    "box": "M12 2L21.500 7V17L12 22L2.500 17V7ZM12 12L2.500 7M12 12L21.500 7M12 12V22Z",
    "microphone": "M9 5A3 3 0 0 1 15 5V11A3 3 0 0 1 9 11ZM5.500 11H7A5 5 0 0 0 17 11H18.500A6.500 6.500 0 0 1 12.800 17.400V21.500H11.200V17.400A6.500 6.500 0 0 1 5.500 11Z",
    "table": "M2.500 4H21.500V20H2.500ZM4 9.500H11V13.500H4ZM13 9.500H20V13.500H13ZM4 15H11V18.500H4ZM13 15H20V18.500H13Z",
    "bold": "M6 3.500H13A4.400 4.400 0 0 1 15.500 11.500A4.700 4.700 0 0 1 14 20.500H6ZM9 6.500V10.500H13A2 2 0 0 0 13 6.500ZM9 13V17.500H13.500A2.200 2.200 0 0 0 13.500 13Z",
}
GLYPHS = tuple("☰✕✓⚙★☆▾▸▴◂…⋮+−×↻↑↓←→♥⚑✎☁⌂✉▶■●◆?!i")
NAMES = (*LINES, *SHAPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How all icons of a page are drawn."""

    width: float
    filled: bool
    round_ends: bool
    glyphs: bool


def manner(rng: random.Random) -> Manner:
    """Draw the manner of one page."""
    return Manner(
        width=rng.choice((1.2, 1.5, 1.5, 1.8, 2, 2, 2.4, 2.8)),
        filled=rng.random() < 0.45,
        round_ends=rng.random() < 0.6,
        glyphs=rng.random() < 0.1,
    )


def svg(name: str, size_px: float, how: Manner, color: str = "currentColor") -> str:
    """Return one icon as inline SVG (or a text glyph of about the same size)."""
    if how.glyphs and name not in ("check", "down", "right"):
        glyph = GLYPHS[NAMES.index(name) % len(GLYPHS)]
        return f'<span class="gl" style="font-size:{size_px:.0f}px;color:{color}">{glyph}</span>'
    ends = ' stroke-linecap="round" stroke-linejoin="round"' if how.round_ends else ""
    if name in LINES or not how.filled:
        paint = f'fill="none" stroke="{color}" stroke-width="{how.width}"{ends}'
    else:
        paint = f'fill="{color}" fill-rule="evenodd"'
    path = LINES.get(name) or SHAPES[name]
    return f'<svg class="ic" width="{size_px:.0f}" height="{size_px:.0f}" viewBox="0 0 24 24" {paint}><path d="{path}"/></svg>'
