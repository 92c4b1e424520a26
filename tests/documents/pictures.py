"""Draws the pictures of the documents: python -m tests.documents.pictures

Marks, answers and attention are the product's own, on our own page and drawings; a browser only sets them on a card. Run it again
after marks, styles or the shipped model have changed.
"""

import base64
import html
import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from playwright.sync_api import Browser

from models.drawings import HELD_OUT_SEEDS, Drawing, scene
from models.evaluation.attention import AttentionProbe, heat_map
from models.grounding import GroundRequest, GroundResult, MarkedPicture, ground
from models.marks import paint, paint_marking_for_model, place
from models.vlm.local import LocalBackend
from tests.chromium import chromium
from tests.documents.blocks import ROOT
from workers.direct.pictures import marked_picture
from workers.shelf import BUILT_IN_FOLDER

OUT = ROOT / "docs" / "pictures"
PAGE = ROOT / "app" / "demo" / "page.png"
MOST_BYTES = 120_000
QUESTION = "Which mark is the search box?"
SEED = HELD_OUT_SEEDS.start + 21
STYLE = """
body{margin:0;background:#fff;font:15px/1.5 'DejaVu Sans',system-ui,sans-serif;color:#1b2430}
#card{display:inline-block;padding:22px;background:#f4f6f9}
img{display:block;border-radius:6px;box-shadow:0 1px 4px #0003}
.row{display:flex;gap:20px;align-items:flex-start}
.said{margin-top:14px;padding:11px 15px;border-radius:10px;background:#fff;box-shadow:0 1px 3px #0002;white-space:pre-wrap}
.said b{color:#5b6b80;font-weight:600;display:inline-block;min-width:66px}
figcaption{color:#5b6b80;font-size:13px;margin-top:6px}figure{margin:0}
"""
Picture = NDArray[np.uint8]


def data_url(pixels: Picture) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def figure(pixels: Picture, caption: str, width: int) -> str:
    return (
        f'<figure><img width={width} src="{data_url(pixels)}"><figcaption>{html.escape(caption)}</figcaption></figure>'
    )


def said(lines: Iterable[tuple[str, str]]) -> str:
    rows = "\n".join(f"<b>{html.escape(who)}</b> {html.escape(what)}" for who, what in lines)
    return f'<div class="said">{rows}</div>'


def save(browser: Browser, name: str, body: str) -> None:
    """Set a card and keep it as a WebP of at most 120 kB."""
    page = browser.new_page(viewport={"width": 1400, "height": 900}, device_scale_factor=1.5)
    page.set_content(f'<meta charset="utf-8"><style>{STYLE}</style><div id="card">{body}</div>')
    shot = Image.open(io.BytesIO(page.locator("#card").screenshot())).convert("RGB")
    page.close()
    target = OUT / name
    for quality in range(88, 30, -6):
        shot.save(target, quality=quality, method=6)
        if target.stat().st_size <= MOST_BYTES:
            break
    print(f"{target.relative_to(ROOT)}: {shot.width} x {shot.height}, {target.stat().st_size / 1000:.0f} kB")


def ask(backend: LocalBackend, picture: MarkedPicture, query: str, task: str) -> GroundResult:
    return ground(
        backend,
        GroundRequest(
            image=picture.image,
            regions=picture.regions,
            marking=picture.marking,
            query=query,
            task=task,
            captions=picture.captions,
        ),
    )


def pointed_at(pixels: Picture, result: GroundResult) -> Picture:
    """The marked picture with the chosen mark's box and point drawn in."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for mark in result.marks:
        draw.rectangle(mark.bbox_xyxy_px, outline=(220, 30, 60), width=4)
        x, y = mark.point_xy_px
        draw.line((x - 14, y, x + 14, y), fill=(220, 30, 60), width=3)
        draw.line((x, y - 14, x, y + 14), fill=(220, 30, 60), width=3)
    return np.asarray(image)


def marked_page(browser: Browser, backend: LocalBackend) -> None:
    """The README's picture: a page, its marks, a question, and what comes back."""
    picture = marked_picture(PAGE, "auto", "markwise")
    result = ask(backend, picture, QUESTION, "act")
    (mark,) = result.marks
    shown = pointed_at(paint(picture.image, picture.regions, picture.marking), result)
    x, y = mark.point_xy_px
    box = ", ".join(f"{value:.0f}" for value in mark.bbox_xyxy_px)
    answer = f'mark {mark.id}, the {mark.role} "{mark.text}": click at ({x:.0f}, {y:.0f}), box ({box})'
    lines = [("Asked", QUESTION), ("Answer", answer), ("", f"decided by: {result.decided_by}")]
    save(
        browser,
        "marked.webp",
        figure(shown, f"{len(picture.marking.marks)} marks, found in the pixels", 1000) + said(lines),
    )


def marked_drawing(drawing: Drawing) -> MarkedPicture:
    return MarkedPicture(image=drawing.image, regions=drawing.regions, marking=place(drawing.regions, "markwise"))


def painted(picture: MarkedPicture, px: int = 448) -> Picture:
    return paint_marking_for_model(picture.image, picture.regions, picture.marking, px)


def idea(browser: Browser, backend: LocalBackend) -> None:
    """A picture, the same one with marks, and the two ways to say where."""
    drawing = scene(SEED)
    picture = marked_drawing(drawing)
    name = drawing.names[picture.marking.marks[0].region_index]
    result = ask(backend, picture, f"Which mark is the {name}?", "refer")
    clean = np.asarray(Image.fromarray(drawing.image).resize((448, 448)))
    sides = figure(clean, "Where is it? An answer needs numbers for a place.", 420)
    sides += figure(painted(picture), "The same picture with marks. An answer needs a name.", 420)
    lines = [("Asked", f"Which mark is the {name}?"), ("Answer", f"{result.text}   (a name that stands for a mask)")]
    save(browser, "idea.webp", f'<div class="row">{sides}</div>' + said(lines))


def listing(browser: Browser, backend: LocalBackend) -> None:
    """Items listed one by one by the shipped model, beside the picture that it saw."""
    picture = marked_drawing(scene(SEED + 2))
    result = ask(backend, picture, "", "list")
    lines = [("Asked", "List the marked items one by one."), ("Answer", "\n" + result.text)]
    body = f'<div class="row">{figure(painted(picture), "what the model sees", 420)}<div>{said(lines)}</div></div>'
    save(browser, "listing.webp", body)


def attention(browser: Browser) -> None:
    """Where the shipped model looks for two marks of one picture."""
    picture = marked_drawing(scene(SEED + 2))
    probe = AttentionProbe(BUILT_IN_FOLDER)
    pixels = painted(picture, probe.input_px)
    figures = figure(painted(picture), "the marked picture", 400)
    for mark in picture.marking.marks[:2]:
        question = f"What is mark {mark.id}?"
        answer = picture_name(SEED + 2, mark.region_index)
        look = probe.look(pixels, question, answer=answer, words="writing")
        figures += figure(heat_map(pixels, look, 448), f'"{question}", while it writes "{answer}"', 400)
    save(browser, "attention.webp", f'<div class="row">{figures}</div>')


def picture_name(seed: int, index: int) -> str:
    return scene(seed).names[index]


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    backend = LocalBackend(BUILT_IN_FOLDER)
    with chromium() as browser:
        marked_page(browser, backend)
        idea(browser, backend)
        listing(browser, backend)
        attention(browser)


if __name__ == "__main__":
    main()
