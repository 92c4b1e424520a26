"""One page per seed: its HTML, window size, pixel ratio and zoom. The same seed always gives the same text.

Called by `models.pages.render`. It knows no browser; what an element is was said by `Pen.ui`.
"""

import random
from dataclasses import dataclass

from models.pages.layouts import LAYOUTS, RAW_LAYOUTS, phone
from models.pages.pen import Pen
from models.pages.theme import draw_theme
from models.pages.words import RIGHT_TO_LEFT, SCRIPTS, Words

_DESKTOP = (
    (1280, 800),
    (1280, 800),
    (1280, 720),
    (1366, 768),
    (1440, 900),
    (1024, 768),
    (1600, 900),
    (1920, 1080),
    (1100, 700),
    (900, 900),
    (800, 600),
)
_PHONE = ((390, 844), (360, 740), (412, 915), (768, 1024))


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPage:
    """What the browser is to show."""

    seed: int
    html: str
    window_wh: tuple[int, int]  # CSS pixels
    device_pixel_ratio: float
    scroll: float  # share of what can be scrolled
    layout: str


def draw_page(seed: int) -> DrawnPage:
    """Draw the page of `seed`."""
    rng = random.Random(seed)
    theme = draw_theme(rng)
    language = rng.choice(tuple(SCRIPTS)) if rng.random() < 0.16 else "en"
    pen = Pen(rng, theme, Words(rng, language))
    choices = RAW_LAYOUTS if theme.raw else LAYOUTS
    layout = rng.choices([part for part, _ in choices], [share for _, share in choices])[0]
    narrow = layout is phone
    window = rng.choice(_PHONE if narrow else _DESKTOP)
    ratio = rng.choices((1.0, 1.25, 1.5, 2.0), (30, 20, 30, 20) if narrow else (80, 8, 6, 6))[0]
    zoom = rng.choice((0.8, 0.9, 1.1, 1.25)) if rng.random() < 0.12 else 1.0
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    body = layout(pen)
    html = (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><style>{theme.css}'
        f"html{{zoom:{zoom}}}body{{min-height:100vh;overflow-x:hidden}}</style></head><body>{body}</body></html>"
    )
    return DrawnPage(
        seed=seed,
        html=html,
        window_wh=window,
        device_pixel_ratio=ratio,
        scroll=rng.random() if rng.random() < 0.3 else 0.0,
        layout=layout.__name__,
    )
