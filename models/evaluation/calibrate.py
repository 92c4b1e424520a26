"""Fits how sure answers say they are to how often they are right. Run: markwise evaluate calibration (needs Chromium).

Asks the model that is served about drawings, and about drawn web pages in Chromium, all of them ours and held out from training; two
thirds fit one map per source, the last third measures. Writes models/grounding/calibration.json. It never sees foreign pictures.
"""

import argparse
import datetime as dt
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from models import drawings
from models.drawings import words
from models.errors import WeightsMissing
from models.evaluation.calibration import Reliability, fit, reliability
from models.evaluation.selections import Known, Outcome, Thing, chosen, classified, placed
from models.grounding.calibration import FILE, Calibration, pooled
from models.pages.page import draw_page
from models.pages.render import FLAGS, Tabs, shoot
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import segmenter
from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend

WEIGHTS = Path(__file__).parents[1] / "weights" / "som-llava-tiny"
FIRST_DRAWING = drawings.HELD_OUT_SEEDS.start + 40_000
FIRST_PAGE = 1_500_000
"""Pages up to 1,000,000 taught the detector, and the first ones after that chose its threshold."""
MEASURED_EVERY = 3
LEAST = 30
"""A source with fewer choices than this takes the map of its decider in all tasks."""
_ON_SCENES = tuple(f"{color} {kind}" for color in words.COLORS for kind in words.KINDS)
_ON_SCREENS = (*words.ACTIONS, *words.NOUNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All choices on one picture; pictures that are `held_out` measure and fit nothing."""

    outcomes: tuple[Outcome, ...]
    held_out: bool


def ask(backend: VlmBackend, *, drawn: int, pages: int, chromium: Path) -> Iterator[Asked]:
    """Ask about `drawn` scenes and as many screens, and about `pages` pages from pixels and from their truth as a tree."""
    for i in range(drawn):
        for known, names in _drawn(FIRST_DRAWING + i):
            yield _asked(backend, known, names, i, questions=6)
    shown = _pages(pages, chromium)
    names = [thing.name for known in shown for thing in known.things if thing.name.strip()]
    for i, known in enumerate(shown):
        yield _asked(backend, known, names, i // 2, questions=16)


def _asked(backend: VlmBackend, known: Known, names: Sequence[str], i: int, *, questions: int) -> Asked:
    rng = Random(f"calibration-{i}-{known.stated}")
    outcomes = [*chosen(backend, known, names, rng, questions=questions, calibrated=False)]
    outcomes += placed(backend, known, rng, questions=questions // 2, calibrated=False)
    if not known.table:
        outcomes += classified(backend, known, names, rng, calibrated=False)
    return Asked(outcomes=tuple(outcomes), held_out=i % MEASURED_EVERY == 0)


def _drawn(seed: int) -> Iterator[tuple[Known, Sequence[str]]]:
    for drawing, names in ((drawings.scene(seed), _ON_SCENES), (drawings.screen(seed), _ON_SCREENS)):
        things = []
        for i, name in enumerate(drawing.names):
            x0, y0, x1, y1 = (float(value) for value in drawing.regions.boxes_xyxy_px[i])
            text, role = drawing.regions.texts[i], drawing.regions.roles[i]
            called = name if drawing.kind == "scene" else text or ""
            things.append(Thing(name=called, role=role or "", bbox_xyxy_px=(x0, y0, x1, y1)))
        yield Known.of(drawing.image, drawing.regions, things), names


def _pages(count: int, chromium: Path) -> list[Known]:
    """Return each page twice: marked from its pixels, and from its elements as a tree would state them."""
    from playwright.sync_api import sync_playwright

    shots = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS), headless=True)
        tabs = Tabs(browser)
        for seed in track(range(FIRST_PAGE, FIRST_PAGE + count), "showing pages", console=Console(stderr=True)):
            page = draw_page(seed)
            shots.append((*shoot(tabs, page), page.device_pixel_ratio))
        browser.close()
    found = []
    for png, elements, ratio in track(shots, "marking pages", console=Console(stderr=True)):
        image = np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
        told = [one for one in elements if one["role"] != "ignore"]
        boxes = np.array([one["bbox_xyxy_px"] for one in told], np.float32).reshape(-1, 4)
        things = [Thing(name=one["name"], role=one["role"], bbox_xyxy_px=tuple(one["bbox_xyxy_px"])) for one in told]
        size_hw = (int(image.shape[0]), int(image.shape[1]))
        stated = Regions.from_boxes(
            size_hw, boxes, texts=[one["name"] or None for one in told], roles=[one["role"] for one in told]
        )
        seen = segmenter("gui").segment(image, SegmentRequest(device_pixel_ratio=ratio))
        found += [Known.of(image, seen, things), Known.of(image, stated, things, stated=True)]
    return found


def fitted(asked: Sequence[Asked], weights: str) -> Calibration:
    """Fit a map for every source that has enough choices on pictures that are not held out, and one per decider for the rest."""
    own = [outcome for each in asked if not each.held_out for outcome in each.outcomes]
    known = own + [replace(one, source=pooled(one.source)) for one in own if pooled(one.source) != one.source]
    counts = Counter(outcome.source for outcome in known)
    maps = {}
    for source in sorted(source for source, n in counts.items() if n >= LEAST):
        some = [outcome for outcome in known if outcome.source == source]
        maps[source] = fit([outcome.share for outcome in some], [outcome.right for outcome in some])
    return Calibration(weights=weights, maps=maps)


def before_and_after(outcomes: Sequence[Outcome], calibration: Calibration) -> tuple[Reliability, Reliability]:
    """Return the reliability of the bare shares and of the calibrated confidences; raises ValueError without outcomes."""
    right = [outcome.right for outcome in outcomes]
    sure = [calibration.confidence(each.share, each.source, weights=calibration.weights) for each in outcomes]
    return reliability([outcome.share for outcome in outcomes], right), reliability(sure, right)


def table(outcomes: Sequence[Outcome], calibration: Calibration) -> str:
    """The reliability table: scores by source before and after, then the bins of all sources together."""
    lines = [f"  {'source':<22}{'n':>6}{'right':>7}{'ECE':>15}{'Brier':>16}{'log loss':>16}"]
    sources = sorted({outcome.source for outcome in outcomes})
    for source in [*sources, "all"]:
        some = [outcome for outcome in outcomes if source in ("all", outcome.source)]
        old, new = before_and_after(some, calibration)
        scores = "".join(
            f"{a:>8.3f} > {b:.3f}"
            for a, b in ((old.ece, new.ece), (old.brier, new.brier), (old.log_loss, new.log_loss))
        )
        lines.append(f"  {source:<22}{old.n:>6}{old.accuracy:>7.3f}{scores}")
    old, new = before_and_after(outcomes, calibration)
    lines.append(f"  {'confidence':<12}{'before: n':>10}{'mean':>7}{'right':>7}{'after: n':>12}{'mean':>7}{'right':>7}")
    for k in range(10):
        cells = [next((one for one in side.bins if round(10 * one.low) == k), None) for side in (old, new)]
        if any(cells):
            shown = [f"{one.n:>10}{one.confidence:>7.2f}{one.accuracy:>7.2f}" if one else " " * 24 for one in cells]
            lines.append(f"  {k / 10:.1f} - {(k + 1) / 10:.1f}   {shown[0]}  {shown[1]}".rstrip())
    return "\n".join(lines)


def body(asked: Sequence[Asked], calibration: Calibration, options: argparse.Namespace) -> dict[str, object]:
    """What calibration.json holds: the maps, and where they come from."""
    counts = Counter(outcome.source for each in asked if not each.held_out for outcome in each.outcomes)
    together: Counter[str] = Counter()
    for source, n in counts.items():
        together[pooled(source)] += n if pooled(source) != source else 0
    old, new = before_and_after([one for each in asked if each.held_out for one in each.outcomes], calibration)
    return {
        "weights": calibration.weights,
        "maps": {
            source: {"slope": scaling.slope, "intercept": scaling.intercept, "n": counts[source] + together[source]}
            for source, scaling in calibration.maps.items()
        },
        "fitted": {
            "date": dt.datetime.now(dt.UTC).date().isoformat(),
            "model": options.model.name,
            "segmenter": segmenter("gui").version,
            "drawings": [FIRST_DRAWING, FIRST_DRAWING + options.drawn],
            "pages": [FIRST_PAGE, FIRST_PAGE + options.pages],
            "held_out": {
                "n": old.n,
                "ece": [round(old.ece, 4), round(new.ece, 4)],
                "brier": [round(old.brier, 4), round(new.brier, 4)],
            },
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, fit, print, write."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluation.calibrate", description=__doc__)
    parser.add_argument("--model", type=Path, default=WEIGHTS, help="checkpoint folder")
    parser.add_argument("--drawn", type=int, default=60, help="scenes, and as many screens")
    parser.add_argument("--pages", type=int, default=45, help="web pages")
    parser.add_argument("--chromium", type=Path, default=Path("/usr/bin/chromium"))
    parser.add_argument("--out", type=Path, default=FILE, help="the file to write")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    started = time.process_time()
    try:
        backend = LocalBackend(options.model)
    except WeightsMissing as error:
        print(str(error), file=sys.stderr)
        return 1
    asked = list(ask(backend, drawn=options.drawn, pages=options.pages, chromium=options.chromium))
    calibration = fitted(asked, backend.version)
    print(f"held-out third of our own drawings and pages; {time.process_time() - started:.0f} s of CPU time")
    print(table([outcome for each in asked if each.held_out for outcome in each.outcomes], calibration))
    options.out.write_text(json.dumps(body(asked, calibration, options), indent=1) + "\n", encoding="utf-8")
    print(f"written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
