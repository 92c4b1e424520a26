"""Things full of numbers and letters that are no marks: calendars, street signs, numbered lists, keypads, charts and the like.

They are what a finder of marks must not fall for. Drawn onto a picture in place, in Pillow's font and in the font of our
labels alike. Called by `examples`; knows no marks.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.drawings import words

_BOLD: Final = Path(__file__).parents[1] / "marks" / "fonts" / "DejaVuSans-Bold.ttf"
Rgb = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Draw = Callable[[ImageDraw.ImageDraw, Random, int, int], None]
_INK: Final[tuple[Rgb, ...]] = (
    (20, 20, 20),
    (250, 250, 250),
    (200, 30, 30),
    (20, 60, 160),
    (30, 110, 50),
    (90, 90, 90),
)


def draw_numbered(picture: NDArray[np.uint8], kind: str, rng: Random) -> NDArray[np.uint8]:
    """Return the picture, (H, W, 3) uint8, with one of `KINDS` drawn somewhere on it."""
    image = Image.fromarray(picture)
    KINDS[kind](ImageDraw.Draw(image), rng, image.width, image.height)
    return np.asarray(image)


@lru_cache(maxsize=128)
def _font(size_px: int, *, bold: bool) -> Font:
    return ImageFont.truetype(str(_BOLD), size_px) if bold else ImageFont.load_default(size_px)


def _any_font(rng: Random, low: int = 11, high: int = 30) -> Font:
    return _font(rng.randint(low, high), bold=rng.random() < 0.4)


def _paper_and_ink(rng: Random) -> tuple[Rgb, Rgb]:
    paper, ink = rng.sample(_INK, 2)
    while abs(sum(paper) - sum(ink)) < 200:
        paper, ink = rng.sample(_INK, 2)
    return paper, ink


def _corner(rng: Random, width: int, height: int, wide: float, high: float) -> tuple[float, float]:
    return rng.uniform(0, max(1.0, width - wide)), rng.uniform(0, max(1.0, height - high))


def _calendar(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    cell = rng.randint(22, 44)
    x, y = _corner(rng, width, height, 7 * cell, 6 * cell)
    paper, ink = _paper_and_ink(rng)
    pen.rectangle((x, y, x + 7 * cell, y + 6 * cell), fill=paper)
    font, lines = _any_font(rng, 10, max(11, cell // 2)), rng.random() < 0.5
    for day in range(1, 32):
        left, top = x + cell * (day % 7), y + cell * (1 + day // 7)
        if lines:
            pen.rectangle((left, top, left + cell, top + cell), outline=ink)
        pen.text((left + cell / 4, top + cell / 5), str(day), fill=ink, font=font)
    pen.text((x + cell, y + 3), rng.choice(("May", "June", "March", "October")), fill=ink, font=font)


def _sign(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    side = rng.randint(36, 120)
    x, y = _corner(rng, width, height, side, side)
    paper, ink = _paper_and_ink(rng)
    box = (x, y, x + side, y + side * rng.choice((1.0, 1.0, 0.5)))
    (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(box, fill=paper, outline=ink, width=max(2, side // 12))
    text = rng.choice((str(rng.randint(1, 130)), "STOP", "P", "A4", "EXIT", "B", "50"))
    font = _font(max(10, int(0.4 * (box[3] - box[1]))), bold=rng.random() < 0.6)
    pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), text, fill=ink, font=font, anchor="mm")


def _list(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    font, step, count = _any_font(rng, 11, 22), rng.randint(20, 40), rng.randint(4, 10)
    x, y = _corner(rng, width, height, 180, step * count)
    paper, ink = _paper_and_ink(rng)
    pen.rectangle((x - 4, y - 4, x + 200, y + step * count), fill=paper)
    dot = rng.choice((".", ")", ":", ""))
    for number in range(1, count + 1):
        pen.text((x + 4, y + step * (number - 1)), f"{number}{dot} {words.label(rng)}", fill=ink, font=font)


def _keypad(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    cell = rng.randint(28, 60)
    x, y = _corner(rng, width, height, 3 * cell, 4 * cell)
    paper, ink = _paper_and_ink(rng)
    font = _any_font(rng, 12, max(13, cell // 2))
    for place, key in enumerate("123456789*0#"):
        left, top = x + cell * (place % 3), y + cell * (place // 3)
        pen.rounded_rectangle((left + 2, top + 2, left + cell - 2, top + cell - 2), 6, fill=paper)
        pen.text((left + cell / 2, top + cell / 2), key, fill=ink, font=font, anchor="mm")


def _chart(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    wide, high = min(width - 40, rng.randint(160, 420)), min(height - 40, rng.randint(120, 300))
    x, y = _corner(rng, width, height, wide + 30, high + 30)
    paper, ink = _paper_and_ink(rng)
    pen.rectangle((x, y, x + wide + 30, y + high + 24), fill=paper)
    font, bars = _any_font(rng, 10, 16), rng.randint(4, 10)
    for tick in range(6):
        pen.text((x + 2, y + high - tick * high / 6 - 12), str(tick * rng.choice((1, 5, 10))), fill=ink, font=font)
    for bar in range(bars):
        left, tall = x + 28 + bar * wide / bars, high * rng.random()
        pen.rectangle((left, y + high - tall, left + wide / bars * 0.7, y + high), fill=rng.choice(_INK))
        pen.text((left, y + high + 4), str(bar + 1), fill=ink, font=font)


def _plate(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    size = rng.randint(14, 40)
    text = "".join(rng.choice("ABCDEFGHKLMNPRSTUVXYZ") for _ in range(3)) + f" {rng.randint(10, 9999)}"
    font = _font(size, bold=True)
    wide = pen.textlength(text, font=font) + size
    x, y = _corner(rng, width, height, wide, 1.6 * size)
    paper, ink = _paper_and_ink(rng)
    pen.rounded_rectangle((x, y, x + wide, y + 1.6 * size), 4, fill=paper, outline=ink, width=2)
    pen.text((x + wide / 2, y + 0.8 * size), text, fill=ink, font=font, anchor="mm")


def _clock(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    reach = rng.randint(40, 120)
    x, y = _corner(rng, width, height, 2 * reach, 2 * reach)
    paper, ink = _paper_and_ink(rng)
    pen.ellipse((x, y, x + 2 * reach, y + 2 * reach), fill=paper, outline=ink, width=4)
    font = _any_font(rng, 10, max(11, reach // 4))
    for hour in range(1, 13):
        angle = np.pi * (hour / 6 - 0.5)
        at = (x + reach * (1 + 0.8 * np.cos(angle)), y + reach * (1 + 0.8 * np.sin(angle)))
        pen.text(at, str(hour), fill=ink, font=font, anchor="mm")


def _captions(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    """Boxes as a detector shows them: with a class and a score, which is no mark."""
    font = _any_font(rng, 10, 16)
    for _ in range(rng.randint(1, 5)):
        wide, high = rng.uniform(40, width / 2), rng.uniform(40, height / 2)
        x, y = _corner(rng, width, height, wide, high)
        color = rng.choice(_INK)
        pen.rectangle((x, y, x + wide, y + high), outline=color, width=2)
        text = f"{rng.choice(words.KINDS)} {rng.random():.2f}"
        pen.rectangle((x, y - 16, x + pen.textlength(text, font=font) + 4, y), fill=color)
        pen.text((x + 2, y - 16), text, fill=(255, 255, 255) if sum(color) < 380 else (0, 0, 0), font=font)


def _price(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    for _ in range(rng.randint(1, 6)):
        size = rng.randint(12, 28)
        x, y = _corner(rng, width, height, 4 * size, 2 * size)
        paper, ink = _paper_and_ink(rng)
        pen.rounded_rectangle((x, y, x + 4 * size, y + 1.7 * size), size // 2, fill=paper)
        text = f"{rng.choice('$€£')}{rng.randint(1, 99)}.{rng.choice(('99', '50', '00'))}"
        pen.text(
            (x + 2 * size, y + 0.85 * size), text, fill=ink, font=_font(size, bold=rng.random() < 0.5), anchor="mm"
        )


def _shirt(pen: ImageDraw.ImageDraw, rng: Random, width: int, height: int) -> None:
    wide, high = rng.randint(60, 160), rng.randint(80, 190)
    x, y = _corner(rng, width, height, wide, high)
    paper, ink = _paper_and_ink(rng)
    pen.polygon(
        [(x, y + high * 0.15), (x + wide * 0.3, y), (x + wide * 0.7, y), (x + wide, y + high * 0.15), (x + wide * 0.85, y + high), (x + wide * 0.15, y + high)],
        fill=paper,
    )  # fmt: skip
    font = _font(max(14, int(0.35 * high)), bold=True)
    pen.text((x + wide / 2, y + high / 2), str(rng.randint(1, 99)), fill=ink, font=font, anchor="mm")


KINDS: Final[dict[str, Draw]] = {
    "calendar": _calendar,
    "sign": _sign,
    "list": _list,
    "keypad": _keypad,
    "chart": _chart,
    "price": _price,
    "captions": _captions,
    "plate": _plate,
    "clock": _clock,
    "shirt": _shirt,
}
UNSEEN: Final = ("plate", "clock", "shirt")
"""Kinds that training never shows: what the finder says of them tells how it takes the unknown."""
