"""Draws interface screens: pages, forms, dialogs and toolbars with readable labels and the role of every widget.

Training, evaluation and tests use them where a screenshot would be used. Text is drawn with the font inside
Pillow, so a seed gives the same pixels on every machine. Truth is role plus text; no marks are painted here.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.drawings import words
from models.drawings.drawing import Drawing
from models.regions import Regions

Rgb = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
SIZES_WH: Final = ((640, 480), (800, 600), (1024, 640), (1280, 800), (480, 800), (720, 900))
ROW_ROLES: Final = ("button", "link", "textbox", "checkbox", "radio", "switch", "combobox", "slider", "listitem")
MAX_WIDGETS: Final = 18


@dataclass(slots=True, kw_only=True)
class _Page:
    """A screen being drawn: the pen, the theme, and what was put on it so far."""

    image: Image.Image
    ink: ImageDraw.ImageDraw
    rng: Random
    font: Font
    text_px: int
    paper: Rgb
    words_rgb: Rgb
    line_rgb: Rgb
    accent: Rgb
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)

    def add(self, role: str, text: str | None, box: tuple[float, float, float, float]) -> None:
        """Remember a widget; its pixels are already there."""
        self.boxes.append(box)
        self.roles.append(role)
        self.texts.append(text)

    def full(self) -> bool:
        """True once no more widgets should be added."""
        return len(self.boxes) >= MAX_WIDGETS


def screen(seed: int) -> Drawing:
    """The interface screen of this seed, with 3 to 18 widgets in reading order."""
    rng = Random(f"screen-{seed}")
    page = _blank(rng)
    top = _header(page) if rng.random() < 0.8 else 8.0
    if rng.random() < 0.35:
        top = _toolbar(page, top)
    _rows(page, top)
    wide, high = page.image.size
    return Drawing(
        image=np.asarray(page.image),
        regions=Regions.from_boxes((high, wide), np.asarray(page.boxes), texts=page.texts, roles=page.roles),
        names=tuple(f'{role} "{text}"' if text else role for role, text in zip(page.roles, page.texts, strict=True)),
        kind="screen",
    )


@lru_cache(maxsize=32)
def _font(size_px: int) -> Font:
    return ImageFont.load_default(size_px)


def _blank(rng: Random) -> _Page:
    size = rng.choice(SIZES_WH)
    dark = rng.random() < 0.35
    grey = rng.randint(16, 50) if dark else rng.randint(236, 255)
    paper = (grey, grey, min(255, grey + rng.randint(0, 8)))
    words_rgb = (228, 228, 232) if dark else (28, 30, 36)
    line = (90, 92, 100) if dark else (176, 180, 188)
    accent = rng.choice(list(words.COLORS_RGB.values())[:9])
    image = Image.new("RGB", size, paper)
    text_px = rng.choice((13, 14, 15, 16, 18))
    return _Page(
        image=image, ink=ImageDraw.Draw(image), rng=rng, font=_font(text_px), text_px=text_px,
        paper=paper, words_rgb=words_rgb, line_rgb=line, accent=accent,
    )  # fmt: skip


def _write(page: _Page, xy: tuple[float, float], text: str, rgb: Rgb | None = None) -> float:
    """Write `text` at its upper left corner; returns the x where it ends."""
    page.ink.text(xy, text, fill=rgb or page.words_rgb, font=page.font)
    return xy[0] + page.ink.textlength(text, font=page.font)


def _header(page: _Page) -> float:
    """A coloured bar with a heading, some links or tabs and perhaps a search box; returns the y below it."""
    rng, high, wide = page.rng, page.text_px + 24, page.image.width
    page.ink.rectangle(
        (0, 0, wide, high), fill=page.accent if rng.random() < 0.5 else page.paper, outline=page.line_rgb
    )
    x = 14.0
    if rng.random() < 0.5:
        text = words.label(rng)
        end = _write(page, (x, 11), text)
        page.add("heading", text, (x, 6, end, high - 6))
        x = end + 26
    role = rng.choice(("link", "tab", "menuitem"))
    for _ in range(rng.randint(1, 5)):
        text = rng.choice(words.NOUNS) if rng.random() < 0.7 else words.label(rng)
        if x + page.ink.textlength(text, font=page.font) > wide - 210 or page.full():
            break
        end = _write(page, (x, 11), text)
        if role == "tab" and rng.random() < 0.4:
            page.ink.line((x, high - 4, end, high - 4), fill=page.words_rgb, width=3)
        page.add(role, text, (x - 4, 4, end + 4, high - 4))
        x = end + 22
    if rng.random() < 0.5:
        _field(
            page, "searchbox", "Search" if rng.random() < 0.5 else words.label(rng), (wide - 190.0, 6.0), 176, high - 12
        )
    return float(high + 12)


def _toolbar(page: _Page, top: float) -> float:
    """A row of small icons; half of them carry no text. Returns the y below it."""
    rng, side = page.rng, page.text_px + 12
    x = 12.0
    for _ in range(rng.randint(2, 6)):
        if page.full():
            break
        box = (x, top, x + side, top + side)
        page.ink.rounded_rectangle(box, radius=4, outline=page.line_rgb, width=1)
        inner = (x + side * 0.25, top + side * 0.25, x + side * 0.75, top + side * 0.75)
        rng.choice((page.ink.ellipse, page.ink.rectangle))(inner, fill=page.accent)
        page.add("icon", rng.choice(words.ACTIONS) if rng.random() < 0.5 else None, box)
        x += side + 8
    return top + side + 14


def _rows(page: _Page, top: float) -> None:
    """Fill the rest with rows of one to three widgets, labels left of the fields."""
    rng, wide = page.rng, page.image.width
    wanted = rng.randint(min(len(page.boxes) + 2, MAX_WIDGETS), MAX_WIDGETS)
    y = top
    row_high = page.text_px + 16
    while y + row_high < page.image.height - 8 and (len(page.boxes) < wanted or len(page.boxes) < 3):
        x = 18.0 + rng.randint(0, 30)
        for _ in range(rng.randint(1, 3)):
            if page.full() or x > wide - 190:
                break
            x = _widget(page, rng.choice(ROW_ROLES), (x, y), row_high) + rng.randint(18, 60)
        y += row_high + rng.randint(6, page.image.height // 9)


def _widget(page: _Page, role: str, xy: tuple[float, float], high: int) -> float:
    """Draw one widget with its label; returns the x where it ends."""
    rng, (x, y) = page.rng, xy
    text = words.label(rng)
    while page.ink.textlength(text, font=page.font) > 170:
        text = rng.choice(words.ACTIONS)
    text_y = y + (high - page.text_px) / 2 - 1
    match role:
        case "button":
            end = x + page.ink.textlength(text, font=page.font) + 28
            fill = page.accent if rng.random() < 0.5 else page.paper
            page.ink.rounded_rectangle(
                (x, y, end, y + high), radius=rng.choice((0, 4, 8)), fill=fill, outline=page.line_rgb
            )
            _write(page, (x + 14, text_y), text)
            page.add(role, text, (x, y, end, y + high))
        case "textbox" | "combobox":
            end = x + _field(page, role, text, (x, y), rng.randint(130, 190), high)
        case "checkbox" | "radio" | "switch" | "slider":
            end = _toggled(page, role, text, (x, y), high)
        case _:
            end = _write(page, (x, text_y), text, page.accent if role == "link" else None)
            page.add(role, text, (x - 2, y, end + 2, y + high))
    return end


def _field(page: _Page, role: str, text: str, xy: tuple[float, float], wide: int, high: int) -> int:
    """A bordered field that shows its own name; a combobox has an arrow, a searchbox a lens. Returns its width."""
    x, y = xy
    page.ink.rectangle((x, y, x + wide, y + high), fill=page.paper, outline=page.line_rgb, width=2)
    text_y = y + (high - page.text_px) / 2 - 1
    if role == "searchbox":
        page.ink.ellipse((x + 6, y + high * 0.3, x + 6 + high * 0.4, y + high * 0.7), outline=page.line_rgb, width=2)
    _write(page, (x + (10 if role != "searchbox" else 12 + high * 0.4), text_y), text, page.line_rgb)
    if role == "combobox":
        arrow = [(x + wide - 20, y + high * 0.4), (x + wide - 8, y + high * 0.4), (x + wide - 14, y + high * 0.65)]
        page.ink.polygon(arrow, fill=page.words_rgb)
    page.add(role, text, (x, y, x + wide, y + high))
    return wide


def _toggled(page: _Page, role: str, text: str, xy: tuple[float, float], high: int) -> float:
    """A checkbox, radio button, switch or slider with its label at the right; returns the x where the label ends."""
    rng, (x, y) = page.rng, xy
    side = page.text_px
    top = y + (high - side) / 2
    on = page.accent if rng.random() < 0.5 else page.paper
    wide = {"checkbox": side, "radio": side, "switch": side * 2, "slider": side * 5}[role]
    box = (x, top, x + wide, top + side)
    match role:
        case "checkbox":
            page.ink.rectangle(box, fill=on, outline=page.line_rgb, width=2)
        case "radio":
            page.ink.ellipse(box, fill=on, outline=page.line_rgb, width=2)
        case "switch":
            page.ink.rounded_rectangle(box, radius=side / 2, fill=on, outline=page.line_rgb, width=2)
        case _:
            knob = x + wide * rng.uniform(0.1, 0.8)
            page.ink.line((x, top + side / 2, x + wide, top + side / 2), fill=page.accent, width=3)
            page.ink.ellipse((knob, top, knob + side, top + side), fill=page.accent)
    end = _write(page, (x + wide + 8, y + (high - page.text_px) / 2 - 1), text)
    page.add(role, text, (x - 2, y, end, y + high))
    return end
