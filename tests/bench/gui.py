"""Measures interface marking and `act` by name on the screenshots in ../shared/data/gui. Run: python -m tests.bench.gui.

Own mark: marks are given to elements one to one, best box IoU first, among the pairs where the mark's point lies in the
element's box; the share of elements that got one is `own_mark`, `close_mark` the share whose own mark has an IoU of at
least 0.5. Marks per element counts every mark that was placed. Click: for every element whose name is unique on its
page, `Click NAME` is decided on the page's marks and lands if the chosen mark's point lies in the element; `accessibility`
decides on marks of the page's elements given as a tree beside the pixels. `read` are the same clicks for elements with a mark whose
text was read: what a model that is told of the marks can know. The plain baseline (text line nearest by
rapidfuzz.fuzz.ratio, click its centre) is computed in the same run. Elsewhere the elements are used for scoring only.
`unseen` are the same figures on pages of ours that no network was taught on. Every page is looked at three times: first, again, and with one element changed.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.segmenters.detected.finder import DetectorFinder
from models.segmenters.detector import ElementDetector
from tests.bench.gui_pages import STAGES, Bench, Clock, Look, Page, TimedDetector, TimedFinder, entries, told
from tests.bench.gui_scoring import (
    DESCRIBED,
    PHRASINGS,
    Decider,
    clicks,
    close_marks,
    decide_by_rank,
    own_marks,
    read_names,
    unique_names,
)
from tests.bench.unseen_pages import can_show, unseen

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "gui"
WEIGHTS = ROOT / "models" / "weights" / "som-llava-tiny"
RESULTS = Path(__file__).parent / "results" / "gui"
_READ_AS = {"names": PHRASINGS[0], "descriptions": DESCRIBED}


def main() -> None:
    options = _options()
    if not any((options.data / name).is_file() for name in ("elements.json", "pages.jsonl")):
        raise SystemExit(f"no screenshots: {options.data} holds neither elements.json nor pages.jsonl")
    bench = Bench(
        lambda clock: _finder(clock, options),
        threads=options.threads,
        device_pixel_ratio=options.ratio,
    )
    pages = []
    for entry, image in list(entries(options.data))[: options.count]:
        pages.append(bench.page(entry, image))
        done = pages[-1]
        print(
            f"  {done.name}: {len(done.marking.marks)} marks, {len(done.elements)} elements, {done.first.wall_s:.2f} s"
        )
    deciders: dict[str, Decider] = {"ranker": decide_by_rank}
    if (options.model / "config.json").is_file():
        deciders |= model_deciders(options.model)
    else:
        print(f"  no checkpoint at {options.model}: the rows with the model are left out")
    result = score(pages, deciders) | {"segmenter": bench.segmenter.version, "threads": options.threads}
    result["model"] = options.model.name if len(deciders) > 1 else None
    if can_show() and options.count is None and options.data == DATA:
        result["unseen"] = score_unseen([bench.page(*each, looks=False) for each in unseen()], deciders)
    print(table(result))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gui.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "gui.txt").write_text(table(result) + "\n")
    if options.sheet:
        cv2.imwrite(str(options.sheet), contact_sheet(pages), [cv2.IMWRITE_JPEG_QUALITY, 60])
    print(f"written to {options.out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=DATA, help="folder with elements.json, or a shard with pages.jsonl"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the table and its JSON")
    parser.add_argument(
        "--threshold", type=float, help="lowest score of the detector; calibrate it on drawn pages only"
    )
    parser.add_argument("--weights", type=Path, help="another detector.onnx than the shipped one")
    parser.add_argument("--model", type=Path, default=WEIGHTS, help="checkpoint folder for the rows with the model")
    parser.add_argument("--count", type=int, default=None, help="only the first so many pages")
    parser.add_argument("--threads", type=int, default=2, help="cores the text reader may use")
    parser.add_argument("--ratio", action="store_true", help="tell the segmenter each page's device pixel ratio")
    # The pages are not ours: pictures of them stay out of the repository.
    parser.add_argument(
        "--sheet", type=Path, metavar="JPG", help="write a contact sheet: marks green, missed elements red"
    )
    return parser.parse_args()


def _finder(clock: Clock, options: argparse.Namespace) -> TimedFinder:
    detector = TimedDetector(ElementDetector(options.weights, threads=options.threads), clock)
    return TimedFinder(DetectorFinder(detector, threshold=options.threshold), clock, "assembly")


def score(pages: Sequence[Page], deciders: dict[str, Decider]) -> dict[str, Any]:
    """Return every figure of the table, with the hardware, versions and date they belong to."""
    stated = [told(page) for page in pages]
    elements = sum(len(page.elements) for page in pages)
    named = sum(len(unique_names(page)) for page in pages)
    own = {page.name: len(own_marks(page)) for page in pages}
    marks = sum(len(page.marking.marks) for page in pages)
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count(), "processor": _processor()},
        "versions": _versions("rapidocr", "onnxruntime", "openvino", "opencv-python-headless"),
        "load_average": os.getloadavg()[0],
        "pages": len(pages),
        "elements": elements,
        "named": named,
        "own_mark": sum(own.values()) / elements,
        "close_mark": sum(close_marks(page) for page in pages) / elements,
        "marks_per_element": marks / elements,
        "omitted_regions": sum(page.marking.omitted_regions for page in pages),
        "clicks": {name: landed / max(named, 1) for name, landed in clicks(pages, deciders).items()}
        | {"accessibility": _by_ranker(stated, PHRASINGS[0])},
        "read": {"elements": sum(len(read_names(page)) for page in pages)}
        | {said: _of_read(pages, deciders, phrasing) for said, phrasing in _READ_AS.items()},
        "phrasings": {
            phrasing: {"pixels": _by_ranker(pages, phrasing), "accessibility": _by_ranker(stated, phrasing)}
            for phrasing in PHRASINGS
        },
        "seconds_per_page": {
            "first look": _seconds([page.first for page in pages]),
            "same page again": _seconds([page.again for page in pages if page.again]),
            "one element changed": _seconds([page.changed for page in pages if page.changed]),
        },
        "per_page": {
            page.name: {
                "elements": len(page.elements),
                "own": own[page.name],
                "marks": len(page.marking.marks),
                "size_hw": list(page.image.shape[:2]),
                "wall_s": round(page.first.wall_s, 3),
                "cpu_s": round(page.first.cpu_s, 3),
            }
            for page in pages
        },
    }


def _of_read(pages: Sequence[Page], deciders: dict[str, Decider], phrasing: str) -> dict[str, float]:
    """Share of the uniquely named elements with a mark whose text was read that each decider clicks on."""
    count = sum(len(read_names(page)) for page in pages)
    return {name: landed / max(count, 1) for name, landed in clicks(pages, deciders, phrasing, read_names).items()}


def _by_ranker(pages: Sequence[Page], phrasing: str) -> float:
    """Share of the uniquely named elements that the ranker alone clicks on."""
    named = sum(len(unique_names(page)) for page in pages)
    return clicks(pages, {"ranker": decide_by_rank}, phrasing)["ranker"] / max(named, 1)


def score_unseen(pages: Sequence[Page], deciders: dict[str, Decider]) -> dict[str, Any]:
    """Return the same figures on pages of ours that no network was taught on."""
    found = score(pages, deciders)
    return {
        name: found[name]
        for name in ("pages", "elements", "named", "own_mark", "marks_per_element", "clicks", "read", "phrasings")
    }


def _seconds(looks: Sequence[Look]) -> dict[str, dict[str, float]] | None:
    """Wall and CPU seconds by stage and in all: medians, and the worst page."""
    if not looks:
        return None
    figures = {
        stage: {
            "wall": round(statistics.median(look.stages[stage][0] for look in looks), 4),
            "cpu": round(statistics.median(look.stages[stage][1] for look in looks), 4),
        }
        for stage in STAGES
        if all(stage in look.stages for look in looks)
    }
    figures["all"] = {
        "wall": round(statistics.median(look.wall_s for look in looks), 4),
        "cpu": round(statistics.median(look.cpu_s for look in looks), 4),
        "wall_max": round(max(look.wall_s for look in looks), 4),
        "cpu_max": round(max(look.cpu_s for look in looks), 4),
    }
    return figures


def table(result: dict[str, Any]) -> str:
    """The figures that matter, one a line."""
    rows = [
        ("elements with their own mark", f"{result['own_mark']:.3f}"),
        ("  of them with IoU of 0.5 or more", f"{result['close_mark']:.3f}"),
        ("marks per element", f"{result['marks_per_element']:.2f}"),
        *((f"clicks that land, {name}", f"{share:.3f}") for name, share in result["clicks"].items()),
        *_of_those_read(result),
    ]
    head = f"{result['pages']} pages, {result['elements']} elements, {result['named']} with a unique name"
    lines = [head, *(f"  {name:<36}{value:>8}" for name, value in rows), *_phrased(result)]
    if "unseen" in result:
        other = result["unseen"]
        lines.append(
            f"unseen: {other['pages']} pages, {other['elements']} elements, {other['named']} with a unique name"
        )
        lines.append(f"  {'elements with their own mark':<36}{other['own_mark']:>8.3f}")
        lines.append(f"  {'marks per element':<36}{other['marks_per_element']:>8.2f}")
        lines += [f"  {'clicks that land, ' + name:<36}{share:>8.3f}" for name, share in other["clicks"].items()]
        lines += [f"  {name:<36}{value:>8}" for name, value in _of_those_read(other)]
        lines += _phrased(other)
    looks = {name: figures for name, figures in result["seconds_per_page"].items() if figures}
    if looks:
        lines.append(f"  {'seconds a page, median: wall / CPU':<36}" + "".join(f"{name:>22}" for name in looks))
        for stage in (*STAGES, "all"):
            cells = [figures.get(stage) for figures in looks.values()]
            if all(cells):
                shown = "".join(f"{cell['wall']:>13.3f} / {cell['cpu']:.3f}  " for cell in cells if cell)
                lines.append(f"    {stage:<34}{shown}".rstrip())
    return "\n".join(lines)


def _of_those_read(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{said}, of {result['read']['elements']} read, {name}", f"{share:.3f}")
        for said in _READ_AS
        for name, share in result["read"][said].items()
        if name != "plain"
    ]


def _phrased(result: dict[str, Any]) -> list[str]:
    return [
        f"  {'ranker, ' + phrasing:<36}pixels {landed['pixels']:.3f}, accessibility {landed['accessibility']:.3f}"
        for phrasing, landed in result["phrasings"].items()
    ]


def contact_sheet(pages: Sequence[Page], width: int = 400, columns: int = 4) -> Any:
    """All pages side by side, small: marks in green, elements without a mark of their own in red; BGR."""
    tiles = []
    for page in pages:
        shown = np.ascontiguousarray(page.image[:, :, ::-1])
        own = own_marks(page)
        boxes = [(mark.bbox_xyxy_px, (0, 160, 0)) for mark in page.marking.marks]
        boxes += [(one["bbox_xyxy_px"], (0, 0, 255)) for i, one in enumerate(page.elements) if i not in own]
        for box, color in boxes:
            x0, y0, x1, y1 = (int(value) for value in box)
            cv2.rectangle(shown, (x0, y0), (x1, y1), color, max(2, round(page.image.shape[1] / 500)))
        high = round(width * shown.shape[0] / shown.shape[1])
        tile = np.asarray(cv2.resize(shown, (width, high), interpolation=cv2.INTER_AREA))[: round(width * 0.7)]
        below = round(width * 0.7) - tile.shape[0]
        tiles.append(cv2.copyMakeBorder(tile, 0, below, 0, 0, cv2.BORDER_CONSTANT, value=(128, 128, 128)))
    tiles += [np.full_like(tiles[0], 128)] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[row : row + columns]) for row in range(0, len(tiles), columns)])


def model_deciders(checkpoint: Path) -> dict[str, Decider]:
    """The model alone, and the service's default: the ranker where it is sure, else the model."""
    import torch

    from models.grounding import Decide, GroundRequest, ground
    from models.vlm.local import LocalBackend

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    backend = LocalBackend(checkpoint)

    def decider(decide: Decide) -> Decider:
        def choose(query: str, page: Page) -> str | None:
            request = GroundRequest(
                image=page.image, regions=page.regions, marking=page.marking, query=query, task="act", decide=decide
            )
            selected = ground(backend, request).selected
            return selected[0].mark if selected else None

        return choose

    return {"model": decider("model"), "both": decider("both")}


def _versions(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def _processor() -> str:
    """Name of the processor, as Linux knows it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
