"""A contact sheet of the web app: every page at work at 1440 and 390 px, light and dark, with pictures of our own.

`python -m tests.browser.sheets` starts a service, fills it (`stocked.py`), and writes tests/browser/sheets/NAME.webp; about four
minutes. Pages of the navigation are found by themselves; what a page shows besides its start stands in `shown`.
"""

import contextlib
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PatienceOver
from rich.console import Console

from tests.acceptance.service import serving
from tests.browser.stocked import SETTINGS, Stock, stock
from tests.chromium import chromium

FOLDER = Path(__file__).parent / "sheets"
PAGES_TS = Path(__file__).resolve().parents[2] / "app" / "web" / "src" / "pages.ts"
WIDTHS_PX = {1440: 900, 390: 844}
THEMES = ("light", "dark")
QUALITY = 72
# A sheet shows how a page looks, not every pixel of it: wide windows are made smaller.
SHOWN_WIDTH_PX = {1440: 960, 390: 390}

# Pictures are fetched when they come near the window.
COMING = """() => ![...document.querySelectorAll("img[data-state=loading]")].some((one) => {
  const { top, bottom } = one.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
})"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one sheet shows: an address, and what a person does there before the picture is taken."""

    address: str
    act: Callable[[Page], None] = lambda page: None


def _open_answer(page: Page) -> None:
    page.locator(".answer button.question").first.click()


def _take_a_mark(page: Page) -> None:
    page.locator("#marks .mark").nth(2).click()


def _choose_some(page: Page) -> None:
    page.locator("#grid").focus()
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)


def _try_to_delete(page: Page) -> None:
    _choose_some(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#deleting")).to_have_attribute("data-state", "ended")


def _look_at_the_mixture(page: Page) -> None:
    page.get_by_label("listing", exact=True).check()
    page.click("#look")
    expect(page.locator("#preview .sample").first).to_be_visible()


def _look_inside(page: Page) -> None:
    page.click("#see")
    expect(page.locator("#look")).to_have_attribute("data-painted", "true")


def _ask_for_the_gate(page: Page) -> None:
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.click("#add-rule")


def shown(ids: Stock) -> dict[str, Shown]:
    """The sheets by name: the start of every page, and what else is worth seeing."""
    names = re.findall(r'\{ name: "(\w+)"', PAGES_TS.read_text(encoding="utf-8"))
    states = {
        "ask": Shown(f"#/ask/{ids.page_set}", _open_answer),
        "ask-empty": Shown("#/ask"),
        "gallery-chosen": Shown("#/gallery?label=checked", _choose_some),
        "gallery-picture": Shown(f"#/gallery/{ids.image}"),
        "gallery-nothing": Shown("#/gallery?q=zebra"),
        "editor": Shown(f"#/editor/{ids.page_set}", _take_a_mark),
        "editor-empty": Shown("#/editor"),
        "job": Shown(f"#/jobs/{ids.annotation}"),
        "job-waiting": Shown(f"#/jobs/{ids.waiting}"),
        "dataset": Shown(f"#/datasets/{ids.dataset}"),
        "dataset-new": Shown("#/datasets/new", _look_at_the_mixture),
        "training-run": Shown(f"#/training/{ids.trainings[0]}"),
        "training-compared": Shown(f"#/training?compare={','.join(ids.trainings)}"),
        "training-new": Shown(f"#/training/new?dataset={ids.dataset}"),
        "evaluation-report": Shown(f"#/evaluation/{ids.evaluation}"),
        "evaluation-new": Shown("#/evaluation/new"),
        "evaluation-look": Shown(f"#/evaluation/look?set={ids.scene_set}", _look_inside),
        "model": Shown(f"#/models/{ids.model}"),
        "model-gate": Shown(f"#/models/{ids.model}", _ask_for_the_gate),
        "settings-webhooks": Shown("#/settings/webhooks"),
        "settings-audit": Shown("#/settings/audit"),
        "gallery-kept": Shown("#/gallery?label=checked", _try_to_delete),
    }
    return {name: Shown(f"#/{name}") for name in names} | states


def settled(page: Page) -> None:
    """Wait until the page and its pictures are there."""
    expect(page.locator("main .page").first).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    with contextlib.suppress(PatienceOver):
        page.wait_for_load_state("networkidle", timeout=3_000)
        page.wait_for_function(COMING, timeout=3_000)
    page.evaluate(
        "async () => { await Promise.all([...document.images].filter((one) => one.src).map((one) => one.decode().catch(() => 0))); }"
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def shots(browser: Browser, url: str, wanted: dict[str, Shown]) -> dict[str, list[Image.Image]]:
    """The windows of each sheet, wide ones first."""
    taken: dict[str, list[Image.Image]] = {name: [] for name in wanted}
    for width, height in WIDTHS_PX.items():
        for theme in THEMES:
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
            for name, one in wanted.items():
                page = context.new_page()
                page.goto(f"{url}/{one.address}")
                settled(page)
                one.act(page)
                settled(page)
                taken[name].append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
                page.close()
            context.close()
    return taken


def joined(pictures: list[Image.Image], gap: int = 12) -> Image.Image:
    """Beside each other on a grey ground, wide ones made smaller."""
    fitted = []
    for picture in pictures:
        width = SHOWN_WIDTH_PX[picture.width]
        fitted.append(picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS))
    across = sum(picture.width for picture in fitted) + gap * (len(fitted) + 1)
    sheet = Image.new("RGB", (across, max(picture.height for picture in fitted) + 2 * gap), (128, 132, 138))
    left = gap
    for picture in fitted:
        sheet.paste(picture, (left, gap))
        left += picture.width + gap
    return sheet


@click.command(help=__doc__)
@click.option("--only", multiple=True, help="One sheet, by its name; may be given several times.")
@click.option("--windows", type=click.Path(path_type=Path), help="A folder for the windows themselves, as PNG.")
def main(only: tuple[str, ...], windows: Path | None) -> None:
    """Draw the sheets."""
    console = Console(stderr=True)
    FOLDER.mkdir(exist_ok=True)
    expect.set_options(timeout=120_000)
    with chromium() as browser, serving(**SETTINGS) as url, httpx.Client(base_url=url, timeout=150) as api:
        console.print("filling the service")
        wanted = {name: one for name, one in shown(stock(api)).items() if not only or name in only}
        for name, pictures in shots(browser, url, wanted).items():
            path = FOLDER / f"{name}.webp"
            joined(pictures).save(path, quality=QUALITY, method=6)
            console.print(f"{path} {path.stat().st_size // 1024} KiB")
            for number, picture in enumerate(pictures if windows else ()):
                picture.save(windows / f"{name}-{picture.width}-{THEMES[number % 2]}.png")


if __name__ == "__main__":
    sys.exit(main())
