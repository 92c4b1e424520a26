"""A label's size, colours and pixels: text in DejaVu Sans Bold on a filled box.

Everything follows from the text and the label's height, so that a stored mark can be painted again without its style's
sizes. Called by placement (sizes) and paint (pixels).
"""

import colorsys
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Rgb = tuple[int, int, int]

_FONT_PATH = Path(__file__).parent / "fonts" / "DejaVuSans-Bold.ttf"
_CAP_PER_EM = 0.729  # height of digits and capitals in this font
_MIN_CAP_PX = 3


@lru_cache(maxsize=128)
def _font(cap_px: int) -> ImageFont.FreeTypeFont:
    # The basic layout engine, because Raqm may be missing and would move glyphs by fractions of a pixel.
    return ImageFont.truetype(str(_FONT_PATH), cap_px / _CAP_PER_EM, layout_engine=ImageFont.Layout.BASIC)


def _metrics(height_px: int) -> tuple[int, int]:
    pad = max(1, round(0.14 * height_px))
    return pad, max(_MIN_CAP_PX, height_px - 2 * pad)


@lru_cache(maxsize=4096)
def label_width(text: str, height_px: int) -> int:
    """Return the width in pixels of a label of `height_px` with `text`."""
    pad, cap = _metrics(height_px)
    return math.ceil(_font(cap).getlength(text)) + 2 * pad


@lru_cache(maxsize=1024)
def label_ink(text: str, height_px: int) -> NDArray[np.uint8]:
    """Return the ink of a label, (height_px, width) uint8, 0 box .. 255 text; read-only, shared between calls."""
    pad, cap = _metrics(height_px)
    canvas = Image.new("L", (label_width(text, height_px), height_px), 0)
    ImageDraw.Draw(canvas).text((pad, pad + cap), text, fill=255, font=_font(cap), anchor="ls")
    ink = np.asarray(canvas)
    ink.setflags(write=False)
    return ink


@lru_cache(maxsize=4096)
def color_of(index: int) -> Rgb:
    """Return the colour of the index-th mark: golden-angle hues in three shades, so that neighbours differ most."""
    saturation, value = ((0.85, 0.92), (0.95, 0.62), (0.55, 0.98))[index % 3]
    hue = (0.97 + index * 0.6180339887498949) % 1.0
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(r * 255), round(g * 255), round(b * 255)


def text_color(background: Rgb) -> Rgb:
    """Return black or white, whichever has the higher WCAG contrast on `background`."""
    luminance = sum(
        weight * _linear(channel) for weight, channel in zip((0.2126, 0.7152, 0.0722), background, strict=True)
    )
    return (255, 255, 255) if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else (0, 0, 0)


def _linear(channel: int) -> float:
    c = channel / 255
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)
