"""A contact sheet of the web app: every page at 1440 and 390 px, light and dark, with pictures of our own.

`python -m tests.browser.sheets` starts a service, fills it, and writes tests/browser/sheets/NAME.webp; about a minute. Pages of
the navigation are found by themselves; what a page shows besides its start stands in `STATES`.
"""

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PatienceOver
from rich.console import Console

from tests.acceptance.service import DEMO_PAGE, drawn, finished, serving
from tests.chromium import chromium

FOLDER = Path(__file__).parent / "sheets"
PAGES_TS = Path(__file__).resolve().parents[2] / "app" / "web" / "src" / "pages.ts"
WIDTHS_PX = {1440: 900, 390: 844}
THEMES = ("light", "dark")
QUALITY = 72
SHAPES = {"box": [30, 40, 110, 120], "disc": [150, 50, 240, 140], "triangle": [60, 150, 180, 220]}
# A sheet shows how a page looks, not every pixel of it: wide windows are halved.
SHOWN_WIDTH_PX = {1440: 960, 390: 390}


def fill(api: httpx.Client) -> dict[str, str]:
    """Put pictures, marks, answers, texts and jobs into an empty service; returns ids that addresses are made of."""
    sets = []
    for seed in range(24):
        labels = '["shapes"]' if seed % 3 else '["shapes", "checked"]'
        file = drawn(seed, (320 + 60 * (seed % 3), 240))
        image = api.post("/v1/images", files={"file": file}, data={"labels": labels}).json()
        if seed % 3 == 0:
            regions = [{"bbox_xyxy_px": box, "text": text} for text, box in SHAPES.items()]
            ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
            sets.append(api.post("/v1/marksets", json=ask).json()["id"])
    page = api.post("/v1/marksets", files={"file": DEMO_PAGE.read_bytes()}).json()
    for task, query in (("list", "List the marks"), ("act", "Click Find trains"), ("refer", "the search box")):
        api.post("/v1/ground", json={"mark_set_id": page["id"], "task": task, "query": query}).raise_for_status()
    order = api.post("/v1/annotations", json={"images": {"label": "checked"}, "mark_set_ids": sets}).json()
    job = finished(api, order["id"])
    texts = api.get("/v1/texts", params={"job_id": job["id"]}).json()["data"]
    for text, verdict in zip(texts, ("accepted", "accepted", "rejected"), strict=False):
        api.patch(f"/v1/texts/{text['id']}", json={"review": verdict}).raise_for_status()
    api.post("/v1/datasets", json={"name": "shapes"}).raise_for_status()
    return {"set": page["id"], "job": job["id"]}


def addresses(ids: dict[str, str]) -> dict[str, str]:
    """Sheet -> address: the start of every page, and what else is worth seeing."""
    names = re.findall(r'\{ name: "(\w+)"', PAGES_TS.read_text(encoding="utf-8"))
    states = {
        "ask": f"#/ask/{ids['set']}",
        "ask-empty": "#/ask",
        "editor": f"#/editor/{ids['set']}",
        "job": f"#/jobs/{ids['job']}",
    }
    return {name: f"#/{name}" for name in names} | states


def settled(page: Page) -> None:
    """Wait until the page and its pictures are there."""
    expect(page.locator("main .page").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    with contextlib.suppress(PatienceOver):
        page.wait_for_load_state("networkidle", timeout=5_000)
    page.evaluate(
        "async () => { await Promise.all([...document.images].filter((one) => one.src).map((one) => one.decode().catch(() => 0))); }"
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def shots(browser: Browser, url: str, address: str) -> Iterator[Image.Image]:
    """The windows of one address, wide ones first."""
    for width, height in WIDTHS_PX.items():
        for theme in THEMES:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            page = context.new_page()
            page.goto(f"{url}/{address}")
            settled(page)
            if address.startswith("#/ask/"):
                page.locator(".answer button.question").first.click()
                settled(page)
            if address.startswith("#/editor/"):
                page.locator("#marks .mark").nth(2).click()
                settled(page)
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            context.close()
            shown = SHOWN_WIDTH_PX[width]
            yield shot.resize((shown, round(shot.height * shown / width)), Image.Resampling.LANCZOS)


def joined(pictures: list[Image.Image], gap: int = 12) -> Image.Image:
    """Beside each other on a grey ground."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) + 1)
    sheet = Image.new("RGB", (width, max(picture.height for picture in pictures) + 2 * gap), (128, 132, 138))
    left = gap
    for picture in pictures:
        sheet.paste(picture, (left, gap))
        left += picture.width + gap
    return sheet


@click.command(help=__doc__)
@click.option("--only", help="One sheet, by its name.")
def main(only: str | None) -> None:
    """Draw the sheets."""
    console = Console(stderr=True)
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=60_000)
    with chromium() as browser, serving() as url, httpx.Client(base_url=url, timeout=150) as api:
        wanted = addresses(fill(api))
        for name, address in wanted.items():
            if only in (None, name):
                path = FOLDER / f"{name}.webp"
                joined(list(shots(browser, url, address))).save(path, quality=QUALITY, method=6)
                console.print(f"{path} {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    sys.exit(main())
