"""Palettes of drawn pages: grounds, ink, lines and accents, light or dark, always with legible text.

Used by `models.pages.theme`. Colours are CSS strings; lightness rules keep text readable on its ground.
"""

import colorsys
import random
from dataclasses import dataclass


def hsl(hue: float, saturation: float, lightness: float) -> str:
    """Return a CSS hex colour; hue in degrees, the others 0..1."""
    red, green, blue = colorsys.hls_to_rgb((hue % 360) / 360, min(1, max(0, lightness)), min(1, max(0, saturation)))
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def ink_on(color: str) -> str:
    """Black or white, whichever is easier to read on `color` (#rrggbb)."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return "#ffffff" if 0.3 * red + 0.59 * green + 0.11 * blue < 0.58 else "#14161a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one page."""

    dark: bool
    page: str  # behind everything
    panel: str  # cards, menus, fields
    sunk: str  # table heads, bars
    ink: str
    muted: str
    line: str
    strong_line: str  # outlines of fields
    accent: str
    second: str
    link: str
    danger: str
    good: str
    warn: str


def palette(rng: random.Random) -> Palette:
    """Draw a palette: a third dark, accents of any hue, greys tinted by one of them."""
    dark = rng.random() < 0.28
    hue = rng.choice((rng.uniform(0, 360), rng.uniform(190, 260)))
    tint = rng.choice((0, 0, 0.05, 0.12, 0.25, 0.45)) if dark else rng.choice((0, 0, 0.05, 0.15, 0.4))
    grey = hue if rng.random() < 0.7 else rng.uniform(0, 360)
    accent = hsl(hue, rng.uniform(0.35, 1), rng.uniform(0.45, 0.68) if dark else rng.uniform(0.28, 0.56))
    if rng.random() < 0.1:
        accent = hsl(0, 0, 0.85 if dark else rng.uniform(0.05, 0.3))
    if dark:
        base = rng.uniform(0.03, 0.2)
        grounds = (base, base + rng.choice((0, 0.02, 0.04, 0.07)), base + rng.choice((-0.02, 0.03, 0.07)))
        ink, muted = rng.uniform(0.82, 1), rng.uniform(0.5, 0.68)
        line, strong = base + rng.uniform(0.05, 0.16), base + rng.uniform(0.12, 0.35)
        link = hsl(hue, rng.uniform(0.4, 1), rng.uniform(0.6, 0.78))
    else:
        base = rng.choice((1, 1, 0.985, 0.97, 0.955, 0.93))
        grounds = (base, rng.choice((1, 1, 1, 0.985)), base - rng.choice((0, 0.02, 0.04, 0.08)))
        ink, muted = rng.uniform(0, 0.28), rng.uniform(0.36, 0.6)
        line, strong = rng.uniform(0.8, 0.93), rng.uniform(0.45, 0.86)
        link = rng.choice((accent, hsl(hue, 0.8, 0.4), "#0000ee", hsl(215, 0.9, 0.42), hsl(205, 1, 0.35)))
    return Palette(
        dark=dark,
        page=hsl(grey, tint, grounds[0]),
        panel=hsl(grey, tint, grounds[1]),
        sunk=hsl(grey, tint, grounds[2]),
        ink=hsl(grey, tint / 2, ink),
        muted=hsl(grey, tint / 2, muted),
        line=hsl(grey, tint / 2, line),
        strong_line=hsl(grey, tint / 2, strong),
        accent=accent,
        second=hsl(hue + rng.uniform(60, 300), rng.uniform(0.3, 0.9), 0.6 if dark else 0.42),
        link=link,
        danger=hsl(rng.uniform(-12, 12), 0.75, 0.55),
        good=hsl(rng.uniform(110, 165), 0.6, 0.42),
        warn=hsl(rng.uniform(30, 50), 0.95, 0.5),
    )
