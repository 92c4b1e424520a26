"""Shows icons in Chromium, hundreds to a sheet in all manners, and cuts them out as the product would see them.

Run: python -m models.icons.sheets --count 80 --out FOLDER. Writes one .npz a sheet: `ink` (N, 32, 32) uint8 and `label` (N,), an index
into `LABELS`; the last label is what is no icon: letters, words, pictures, avatars. Needs Playwright (extra `test`).
"""

import argparse
import io
import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.icons.shapes import GLYPHS, drawings
from models.pages.colors import hsl
from models.pages.render import FLAGS
from models.ranking.icon_names import SPOKEN
from models.segmenters.detected.ink import ink_of

NO_ICON = "no icon"
LABELS = (*sorted(SPOKEN), NO_ICON)
_CELL_PX, _COLUMNS, _ROWS = 52, 24, 15
_SIZES_PX = (10, 12, 13, 14, 14, 15, 16, 16, 16, 17, 18, 18, 20, 20, 22, 24, 24, 24, 26, 28, 32)
_WORDS = ("OK", "Go", "En", "Aa", "RC", "JD", "A", "R", "Q", "S", "M", "G", "12", "7", "3", "99", "New", "EN", "ab", "Mo", "24", "Hi", "T", "H1", "px", "$", "€", "%", "@", "#", "&", "/", "P", "W", "K", "£", "ok", "Sa")  # fmt: skip


def main() -> None:
    """Draw sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=80, help="sheets of 360 icons")
    parser.add_argument("--first", type=int, default=0, help="first seed; held-out sheets begin at 1000000")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(options.chromium), args=list(FLAGS), headless=True)
        page = browser.new_page(viewport={"width": _CELL_PX * _COLUMNS, "height": _CELL_PX * _ROWS})
        for seed in range(options.first, options.first + options.count):
            html, names = sheet(seed)
            page.set_content(html)
            image = np.array(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
            inks, labels = cut(image, names, random.Random(seed))
            np.savez_compressed(options.out / f"{seed}.npz", ink=inks, label=labels)
        browser.close()


def sheet(seed: int) -> tuple[str, list[str]]:
    """Return the page of one sheet and the name in each of its cells."""
    rng, paths = random.Random(seed), drawings()
    cells, names = [], []
    for _ in range(_COLUMNS * _ROWS):
        name = rng.choice(LABELS) if rng.random() > 0.09 else NO_ICON
        ground, ink = _colors(rng)
        inner = _no_icon(rng, ink) if name == NO_ICON else _icon(rng, name, paths[name], ink)
        cells.append(f'<div style="background:{ground}">{_framed(rng, inner, ground)}{_badge(rng)}</div>')
        names.append(name)
    style = (
        f"body{{margin:0;display:grid;grid-template-columns:repeat({_COLUMNS},{_CELL_PX}px);grid-auto-rows:{_CELL_PX}px;"
        "font-family:DejaVu Sans}div{display:grid;place-items:center;position:relative;overflow:hidden}svg{display:block}"
        "em{position:absolute;color:#fff;font:bold 9px DejaVu Sans;border-radius:8px;padding:1px 4px}"
    )
    return f"<!doctype html><style>{style}</style><body>{''.join(cells)}", names


def cut(image: NDArray[np.uint8], names: list[str], rng: random.Random) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the ink of every cell in which there is some, seen through boxes as loose as a detector's, and its label."""
    inks, labels = [], []
    for number, name in enumerate(names):
        x, y = number % _COLUMNS * _CELL_PX, number // _COLUMNS * _CELL_PX
        inset = rng.uniform(4, 8)
        shift = [rng.uniform(-2, 2) for _ in range(4)]
        box = (
            x + inset + shift[0],
            y + inset + shift[1],
            x + _CELL_PX - inset + shift[2],
            y + _CELL_PX - inset + shift[3],
        )
        for ink in ink_of(image, box):
            inks.append((ink * 255).astype(np.uint8))
            labels.append(LABELS.index(name))
    return np.stack(inks), np.array(labels, np.int64)


def _colors(rng: random.Random) -> tuple[str, str]:
    """A ground and an ink that can be told from it."""
    hue, tint = rng.random() * 360, rng.choice((0, 0, 0, 0.1, 0.5, 0.8))
    light = rng.choice((0.97, 1.0, 1.0, 0.93, 0.13, 0.08, 0.2, 0.35, 0.5))
    far = rng.uniform(0.3, 0.8)
    other = light - far if light > 0.5 else light + far
    return hsl(hue, tint, light), hsl(rng.random() * 360, rng.choice((0, 0, 0.2, 0.9)), min(1.0, max(0.0, other)))


def _icon(rng: random.Random, name: str, paths: list[str], ink: str) -> str:
    size = rng.choice(_SIZES_PX)
    if name in GLYPHS and rng.random() < 0.15:
        return f'<span style="color:{ink};font-size:{size + rng.randint(0, 6)}px;line-height:1">{rng.choice(GLYPHS[name])}</span>'
    if name in ("bold", "italic", "underline") and rng.random() < 0.4:
        looks = {"bold": "font-weight:bold", "italic": "font-style:italic", "underline": "text-decoration:underline"}
        letter = {"bold": "B", "italic": "I", "underline": "U"}[name]
        family = rng.choice(("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"))
        return f'<span style="color:{ink};font:{size}px {family};{looks[name]}">{letter}</span>'
    path = rng.choice(paths)
    kind, path = path[0], path[1:]
    width = rng.choice((1.0, 1.3, 1.5, 1.7, 2, 2, 2, 2.3, 2.6, 3))
    ends = ' stroke-linecap="round" stroke-linejoin="round"' if rng.random() < 0.6 else ""
    stroked = kind == "L" or (kind == "E" and rng.random() < 0.5)
    paint = (
        f'fill="none" stroke="{ink}" stroke-width="{width}"{ends}' if stroked else f'fill="{ink}" fill-rule="evenodd"'
    )
    if kind == "F" and rng.random() < 0.15:
        paint += f' stroke="{ink}" stroke-width="{rng.uniform(0.3, 1.2):.1f}"'
    tilt = f"rotate({rng.gauss(0, 2):.1f} 12 12) " if rng.random() < 0.3 else ""
    wide, high = rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1)
    turn = f"{tilt}translate({12 - 12 * wide:.2f} {12 - 12 * high:.2f}) scale({wide:.2f} {high:.2f})"
    box = "-1.5 -1.5 27 27"
    return f'<svg width="{size}" height="{size}" viewBox="{box}" {paint}><path transform="{turn}" d="{path}"/></svg>'


def _no_icon(rng: random.Random, ink: str) -> str:
    """Letters and words, discs, bars, faces of people without features: what buttons hold besides icons."""
    what, size = rng.random(), rng.choice(_SIZES_PX)
    if what < 0.6:
        family = rng.choice(("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"))
        bold = rng.choice(("bold", "normal"))
        return f'<span style="color:{ink};font:{bold} {max(10, size - 4)}px {family}">{rng.choice(_WORDS)}</span>'
    wide, high, round_px = rng.randint(8, 34), rng.randint(8, 34), rng.choice((0, 3, 20))
    if what < 0.8:
        return f'<i style="width:{wide}px;height:{high}px;border-radius:{round_px}px;background:{ink}"></i>'
    points = " ".join(f"{rng.uniform(1, 23):.1f} {rng.uniform(1, 23):.1f}" for _ in range(rng.randint(3, 7)))
    fill = rng.choice(("none", ink))
    return f'<svg width="{size}" height="{size}" viewBox="0 0 24 24" fill="{fill}" stroke="{ink}" stroke-width="1.5"><path d="M{points}Z"/></svg>'


def _framed(rng: random.Random, inner: str, ground: str) -> str:
    """The icon in a button: bare, framed, or on a disc or a plate of another ground."""
    what = rng.random()
    if what < 0.55:
        return inner
    side = rng.randint(34, 42)
    if what < 0.75:
        look = f"border:1px solid {hsl(0, 0, rng.choice((0.3, 0.7, 0.85)))}"
    else:
        # The page around the plate must not matter.
        look = f"background:{ground};box-shadow:0 0 0 30px {hsl(rng.random() * 360, rng.random(), rng.random())}"
    return (
        f'<div style="width:{side}px;height:{side}px;border-radius:{rng.choice((0, 4, 8, 21))}px;{look}">{inner}</div>'
    )


def _badge(rng: random.Random) -> str:
    if rng.random() > 0.06:
        return ""
    color = rng.choice(("#d32f2f", "#e53935", "#1976d2", "#ff5722", "#c2185b"))
    text = rng.choice(("1", "2", "3", "7", "9+", "12"))
    return f'<em style="right:{rng.randint(6, 12)}px;top:{rng.randint(6, 12)}px;background:{color}">{text}</em>'


if __name__ == "__main__":
    main()
