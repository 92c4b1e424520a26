"""Shows drawn pages in Chromium and stores pictures with their truth. Run: python -m models.pages.render --count N --out DIR.

Needs Playwright and a Chromium (extra `test`); no other module of the product imports it. A shard holds 100 seeds: one
PNG per page and `pages.jsonl`, written when the shard is complete, so that a stopped run goes on with the next shard.
"""

import argparse
import json
import shutil
import struct
import time
from pathlib import Path
from typing import Any

from models.pages.page import DrawnPage, draw_page
from models.pages.truth import TRUTH_JS

SHARD = 100
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="how many pages (rounded up to whole shards)")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        help="first seed, a multiple of 100; training starts at 0, held-out pages at 1000000",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of shards")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(options.chromium), args=list(FLAGS), headless=True)
        tabs = Tabs(browser)
        for number in range(options.first // SHARD, (options.first + options.count + SHARD - 1) // SHARD):
            render_shard(tabs, number, options.out)
        browser.close()


class Tabs:
    """One open tab per pixel ratio: opening one for every page took longer than showing it."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._open: dict[float, Any] = {}

    def at(self, device_pixel_ratio: float) -> Any:
        """Return the tab of that ratio."""
        if device_pixel_ratio not in self._open:
            context = self._browser.new_context(device_scale_factor=device_pixel_ratio)
            self._open[device_pixel_ratio] = context.new_page()
        return self._open[device_pixel_ratio]


def render_shard(tabs: Tabs, number: int, out: Path) -> None:
    """Render the seeds of one shard into `out`/shard-NNNNN unless it is there already."""
    folder = out / f"shard-{number:05d}"
    if (folder / "pages.jsonl").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.perf_counter()
    rows: list[dict[str, Any]] = []
    for seed in range(number * SHARD, (number + 1) * SHARD):
        drawn = draw_page(seed)
        png, elements = shoot(tabs, drawn)
        (folder / f"{seed}.png").write_bytes(png)
        rows.append(
            {"seed": seed, "layout": drawn.layout, "device_pixel_ratio": drawn.device_pixel_ratio, "elements": elements}
        )
    (folder / "pages.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    rate = SHARD / (time.perf_counter() - started)
    print(f"{folder.name}: {sum(len(row['elements']) for row in rows)} elements, {rate:.2f} pages/s", flush=True)


def shoot(tabs: Tabs, drawn: DrawnPage) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the screenshot as PNG and the truth with boxes in its pixels: role, name, bbox_xyxy_px."""
    width, height = drawn.window_wh
    page = tabs.at(drawn.device_pixel_ratio)
    page.set_viewport_size({"width": width, "height": height})
    page.set_content(drawn.html, wait_until="load")
    page.evaluate("share => scrollTo(0, share * (document.documentElement.scrollHeight - innerHeight))", drawn.scroll)
    found = page.evaluate(TRUTH_JS)
    png: bytes = page.screenshot(scale="device", animations="disabled", caret="hide")
    # Labels once were scaled by a ratio that the screenshot did not have: 8 % of all boxes were wrong, unnoticed.
    shape, ratio = struct.unpack(">II", png[16:24]), drawn.device_pixel_ratio
    if any(abs(one - other * ratio) > 1 for one, other in zip(shape, drawn.window_wh, strict=True)):
        raise RuntimeError(f"seed {drawn.seed}: the screenshot is {shape}, expected {drawn.window_wh} times {ratio}")
    return png, [
        {"role": one["role"], "name": one["name"], "bbox_xyxy_px": [round(value * ratio, 1) for value in one["box"]]}
        for one in found
    ]


if __name__ == "__main__":
    main()
