"""A label's size, colours and pixels: text in DejaVu Sans Bold on a filled box.

Everything follows from the text and the label's height, so that a stored mark can be painted again without its style's
sizes. Called by placement (sizes) and paint (pixels).
"""

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
_COLORS = 99


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


@lru_cache(maxsize=1024)
def label_pixels(text: str, height_px: int, background: Rgb) -> NDArray[np.uint8]:
    """Return an opaque label, (height_px, width, 3) uint8; read-only, shared between calls."""
    ink = label_ink(text, height_px)
    pixels = compose(ink, np.asarray(background, np.float32), background)
    pixels.setflags(write=False)
    return pixels


def compose(ink: NDArray[np.uint8], base: NDArray[np.float32], background: Rgb) -> NDArray[np.uint8]:
    """Return text over `base` (a colour or pixels (h, w, 3)), black or white as `background` asks for."""
    share = ink[:, :, None] * np.float32(1 / 255)
    return np.rint(base + (np.asarray(text_color(background), np.float32) - base) * share).astype(np.uint8)


def color_of(index: int) -> Rgb:
    """Return the colour of the index-th mark; the first `_COLORS` all differ, early ones most."""
    return _palette()[index % _COLORS]


@lru_cache(maxsize=1)
def _palette() -> tuple[Rgb, ...]:
    # Farthest-point choice, weighted as the eye sees: golden-angle hues put two like greens at 5 and 8.
    steps = np.array([0, 51, 102, 153, 204, 255], np.int64)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    luma = grid @ np.array([299, 587, 114]) // 1000
    colors = grid[(np.ptp(grid, axis=1) >= 102) & (luma >= 40) & (luma <= 225)]
    chosen = [int(np.flatnonzero((colors == (204, 0, 0)).all(1))[0])]
    nearest = np.full(len(colors), np.iinfo(np.int64).max)
    while len(chosen) < _COLORS:
        last = colors[chosen[-1]]
        red, (dr, dg, db) = (colors[:, 0] + last[0]) // 2, ((colors - last) ** 2).T
        nearest = np.minimum(nearest, (512 + red) * dr + 1024 * dg + (767 - red) * db)
        chosen.append(int(nearest.argmax()))
    return tuple((int(r), int(g), int(b)) for r, g, b in colors[chosen].tolist())


def text_color(background: Rgb) -> Rgb:
    """Return black or white, whichever has the higher WCAG contrast on `background`."""
    luminance = sum(
        weight * _linear(channel) for weight, channel in zip((0.2126, 0.7152, 0.0722), background, strict=True)
    )
    return (255, 255, 255) if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else (0, 0, 0)


def _linear(channel: int) -> float:
    c = channel / 255
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)
