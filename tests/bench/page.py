"""How smoothly the web app moves with 150 marks on a 4K picture. Run: python -m tests.bench.page (1 minute).

A real Chromium without a GPU sweeps the pointer over every mark, zooms and pans on Ask. Frames are counted in the page; CPU time is
what the browser's main thread spent, from its own counters, so that a busy machine shows less in it than in the frame times. Also: what
the first load costs.
"""

import argparse
import datetime as dt
import json
import os
import platform
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image, ImageDraw
from playwright.sync_api import CDPSession, Page, expect

from app.imaging.encode import encode
from tests.acceptance.service import serving
from tests.chromium import chromium

RESULTS = Path(__file__).parent / "results" / "page"
SIZE_WH = (3840, 2160)
COLUMNS, ROWS = 15, 10
FRAME_MS = 1000 / 60

RECORD = """() => {
  window.frames_ms = [];
  let last = performance.now();
  const turn = (now) => { window.frames_ms.push(now - last); last = now; window.recording = requestAnimationFrame(turn); };
  window.recording = requestAnimationFrame(turn);
}"""
STOP = "() => { cancelAnimationFrame(window.recording); return window.frames_ms.slice(1); }"


def picture() -> tuple[bytes, list[dict[str, Any]]]:
    """A 4K drawing of 150 discs and triangles, and their outlines as regions."""
    rng = np.random.default_rng(0)
    canvas = Image.new("RGB", SIZE_WH, (236, 238, 241))
    draw = ImageDraw.Draw(canvas)
    regions = []
    width, height = SIZE_WH[0] // COLUMNS, SIZE_WH[1] // ROWS
    for place in range(COLUMNS * ROWS):
        left, top = (place % COLUMNS) * width + 12, (place // COLUMNS) * height + 12
        middle, reach = np.array([left + width / 2 - 12, top + height / 2 - 12]), min(width, height) / 2 - 14
        corners = 3 if place % 3 == 0 else 40
        angles = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.random()
        outline = (middle + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)).round(1)
        draw.polygon([tuple(point) for point in outline.tolist()], fill=tuple(int(v) for v in rng.integers(30, 210, 3)))
        regions.append({"polygon_px": [outline.ravel().tolist()], "text": f"thing {place + 1}"})
    return encode(np.asarray(canvas)), regions


def measured(page: Page, session: CDPSession, name: str, moves: int, act: Any) -> dict[str, Any]:
    """Do `act(i)` for every move and count frames and the main thread's time."""

    def busy_s() -> float:
        found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return float(found["TaskDuration"])

    page.evaluate(RECORD)
    before = busy_s()
    for move in range(moves):
        act(move)
    spent_ms = 1000 * (busy_s() - before)
    frames = np.array(page.evaluate(STOP))
    return {
        "what": name,
        "moves": moves,
        "main_thread_ms_per_move": round(spent_ms / moves, 2),
        "frame_ms_median": round(float(np.median(frames)), 1),
        "frame_ms_p95": round(float(np.percentile(frames, 95)), 1),
        "late_frames": round(float(np.mean(frames > 2 * FRAME_MS)), 3),
    }


def run() -> dict[str, Any]:
    """Serve, open, move, and return what was measured."""
    data, regions = picture()
    expect.set_options(timeout=120_000)
    with chromium() as browser, serving() as url, httpx.Client(base_url=url, timeout=150) as api:
        image = api.post("/v1/images", files={"file": data}).json()
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions, "max_marks": len(regions)}
        mark_set = api.post("/v1/marksets", json=ask, headers={"Prefer": "wait=120"}).json()
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        sizes: dict[str, int] = {}
        page.on("response", lambda one: sizes.update({one.url: len(one.body())}) if "/static/" in one.url else None)
        page.goto(f"{url}/#/ask/{mark_set['id']}")
        expect(page.locator("#marks .mark")).to_have_count(len(regions))
        page.wait_for_load_state("networkidle")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        box = page.locator("#picture").bounding_box()
        assert box is not None
        points = [
            (box["x"] + mark["point_xy_px"][0] * box["width"] / SIZE_WH[0], box["y"] + mark["point_xy_px"][1] * box["width"] / SIZE_WH[0])
            for mark in mark_set["marks"]
        ]  # fmt: skip
        page.mouse.move(*points[-1])
        rows = [
            measured(
                page, session, "point at every mark, the first time", len(points), lambda i: page.mouse.move(*points[i])
            )
        ]
        rows.append(
            measured(page, session, "point at every mark again", len(points), lambda i: page.mouse.move(*points[i]))
        )
        rows.append(
            measured(page, session, "zoom in and out", 60, lambda i: page.mouse.wheel(0, -60 if i < 30 else 60))
        )
        page.mouse.wheel(0, -900)
        page.mouse.down()
        x, y = points[-1]
        rows.append(
            measured(page, session, "drag the zoomed picture", 60, lambda i: page.mouse.move(x - 4 * i, y - 3 * i))
        )
        page.mouse.up()
    script = sum(size for name, size in sizes.items() if name.endswith(".js"))
    return {
        "marks": len(mark_set["marks"]),
        "picture": f"{SIZE_WH[0]} x {SIZE_WH[1]}",
        "script_bytes": script,
        "rows": rows,
    }


def table(result: dict[str, Any]) -> str:
    """The numbers as a table."""
    load, hardware = result["load_average"], result["hardware"]
    head = f"{result['marks']} marks on {result['picture']}; {result['script_bytes'] / 1000:.0f} kB of script for Ask"
    lines = [
        f"{head}; {result['date']}, {hardware['cpus']} cores of {hardware['machine']}, no GPU, load {load}",
        "",
        "| what | main thread, ms a move | frame, median ms | frame, 95 % | frames over 33 ms |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        cells = (
            row["what"],
            row["main_thread_ms_per_move"],
            row["frame_ms_median"],
            row["frame_ms_p95"],
            f"{100 * row['late_frames']:.0f} %",
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write tests/bench/results/page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    result = run() | {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(table(result))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "page.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "page.md").write_text(table(result) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
