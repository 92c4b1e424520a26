"""Measures interface marking and `act` by name on the screenshots in ../shared/data/gui. Run: python -m tests.bench.gui.

Own mark: marks are given to elements one to one, best box IoU first, among the pairs where the mark's point lies in the
element's box; the share of elements that got one is `own_mark`. Marks per element counts every mark that was placed.
Click: for every element whose name is unique on its page, `Click NAME` is decided on the page's marks and lands if the
chosen mark's point lies in the element. The plain baseline (text line nearest by rapidfuzz.fuzz.ratio, click its
centre) is computed in the same run. Element truth is used for scoring only.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rapidfuzz import fuzz

from models.marks import Marking, place
from models.protocols import SegmentRequest
from models.ranking import Candidate, rank
from models.regions import Regions
from models.segmenters.gui import GuiSegmenter
from models.segmenters.ocr import RapidOcrReader, TextLine

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "gui"
WEIGHTS = ROOT / "models" / "weights" / "som-llava-tiny"
RESULT = Path(__file__).parent / "results" / "gui.json"

Image8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A marked screenshot with its truth."""

    name: str
    image: Image8
    elements: tuple[dict[str, Any], ...]
    regions: Regions
    marking: Marking
    lines: tuple[TextLine, ...]
    wall_s: float
    cpu_s: float


# Answers one instruction on a marked page with the id of the mark to click, None for none of them.
Decider = Callable[[str, Page], str | None]


class KeepingReader:
    """Passes reads on and keeps the last lines for the baseline, scaled by nothing: pages here are at most 2560 px."""

    def __init__(self) -> None:
        self.reader = RapidOcrReader()
        self.version = self.reader.version
        self.lines: list[TextLine] = []
        self.width = 1

    def read(self, image: Image8) -> list[TextLine]:
        self.lines, self.width = self.reader.read(image), image.shape[1]
        return self.lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with elements.json and its screenshots")
    parser.add_argument("--json", type=Path, default=RESULT, help="where to write the result")
    parser.add_argument("--model", type=Path, default=WEIGHTS, help="checkpoint folder for the rows with the model")
    options = parser.parse_args()
    if not (options.data / "elements.json").is_file():
        raise SystemExit(f"no screenshots: {options.data / 'elements.json'} does not exist")
    pages = load(options.data)
    deciders: dict[str, Decider] = {"ranker": decide_by_rank}
    if (options.model / "config.json").is_file():
        deciders |= model_deciders(options.model)
    else:
        print(f"  no checkpoint at {options.model}: the rows with the model are left out")
    result = score(pages, deciders)
    result["model"] = options.model.name if len(deciders) > 1 else None
    print(table(result))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.json}")


def load(data: Path) -> list[Page]:
    """Mark every page that elements.json names."""
    reader = KeepingReader()
    segmenter = GuiSegmenter(reader)
    pages = []
    for entry in json.loads((data / "elements.json").read_text()):
        image = np.array(Image.open(data / entry["image"]).convert("RGB"))
        started, cpu_started = time.perf_counter(), time.process_time()
        # The pixel ratio is withheld: callers seldom know it.
        regions = segmenter.segment(image, SegmentRequest())
        marking = place(regions)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
        lines = tuple(_scaled(line, image.shape[1] / reader.width) for line in reader.lines)
        pages.append(
            Page(
                name=entry["image"],
                image=image,
                elements=tuple(entry["elements"]),
                regions=regions,
                marking=marking,
                lines=lines,
                wall_s=wall_s,
                cpu_s=cpu_s,
            )
        )
        print(f"  {entry['image']}: {len(marking.marks)} marks, {len(entry['elements'])} elements, {wall_s:.2f} s")
    return pages


def score(pages: Sequence[Page], deciders: dict[str, Decider]) -> dict[str, Any]:
    """Return every figure of the table, with the hardware, versions and date they belong to."""
    elements = sum(len(page.elements) for page in pages)
    named = [(page, element) for page in pages for element in unique_names(page)]
    clicks = {"plain": sum(_lands(nearest_line(element["name"], page), element) for page, element in named)}
    for name, decider in deciders.items():
        landed = 0
        for page, element in named:
            chosen = decider(f"Click {element['name']}", page)
            landed += _lands({mark.id: mark.point_xy_px for mark in page.marking.marks}.get(chosen or ""), element)
        clicks[name] = landed
    own = {page.name: len(own_marks(page)) for page in pages}
    warm = pages[1:]  # the first one loads the text reader
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count(), "processor": _processor()},
        "versions": {
            name: importlib.metadata.version(name) for name in ("rapidocr", "onnxruntime", "opencv-python-headless")
        },
        "pages": len(pages),
        "elements": elements,
        "named": len(named),
        "own_mark": sum(own.values()) / elements,
        "marks_per_element": sum(len(page.marking.marks) for page in pages) / elements,
        "omitted_regions": sum(page.marking.omitted_regions for page in pages),
        "clicks": {name: landed / max(len(named), 1) for name, landed in clicks.items()},
        "seconds_per_page": {
            "wall_median": statistics.median(page.wall_s for page in warm),
            "cpu_median": statistics.median(page.cpu_s for page in warm),
            "cpu_max": max(page.cpu_s for page in warm),
            "load_average": os.getloadavg()[0],
        }
        if warm
        else None,
        "per_page": {
            page.name: {"elements": len(page.elements), "own": own[page.name], "marks": len(page.marking.marks)}
            for page in pages
        },
    }


def table(result: dict[str, Any]) -> str:
    """The figures that matter, one a line."""
    rows = [
        ("elements with their own mark", f"{result['own_mark']:.3f}"),
        ("marks per element", f"{result['marks_per_element']:.2f}"),
        *((f"clicks that land, {name}", f"{share:.3f}") for name, share in result["clicks"].items()),
    ]
    if result["seconds_per_page"]:
        rows.append(("CPU seconds per page, median", f"{result['seconds_per_page']['cpu_median']:.2f}"))
    head = f"{result['pages']} pages, {result['elements']} elements, {result['named']} with a unique name"
    return "\n".join([head, *(f"  {name:<32}{value:>8}" for name, value in rows)])


def decide_by_rank(query: str, page: Page) -> str | None:
    """The ranker alone."""
    size_hw = (page.image.shape[0], page.image.shape[1])
    ranked = rank(
        query,
        [
            Candidate(id=mark.id, text=mark.text, role=mark.role, bbox_xyxy_px=mark.bbox_xyxy_px, size_hw=size_hw)
            for mark in page.marking.marks
        ],
    )
    return ranked[0].id if ranked else None


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


def unique_names(page: Page) -> list[dict[str, Any]]:
    """Elements whose name no other element of the page has."""
    names = Counter(element["name"] for element in page.elements)
    return [element for element in page.elements if element["name"] and names[element["name"]] == 1]


def nearest_line(name: str, page: Page) -> tuple[float, float] | None:
    """The plain baseline's click: centre of the text line most like the name."""
    if not page.lines:
        return None
    line = max(page.lines, key=lambda line: fuzz.ratio(line.text, name))
    x0, y0, x1, y1 = line.bbox_xyxy_px
    return (x0 + x1) / 2, (y0 + y1) / 2


def own_marks(page: Page) -> dict[int, str]:
    """One mark per element at most: pairs whose point fits, best IoU of the boxes first."""
    pairs = [
        (_iou(mark.bbox_xyxy_px, element["bbox_xyxy_px"]), index, mark.id)
        for index, element in enumerate(page.elements)
        for mark in page.marking.marks
        if _lands(mark.point_xy_px, element)
    ]
    given: dict[int, str] = {}
    used: set[str] = set()
    for _, index, mark_id in sorted(pairs, key=lambda pair: (-pair[0], pair[1], int(pair[2]))):
        if index not in given and mark_id not in used:
            given[index] = mark_id
            used.add(mark_id)
    return given


def _lands(point: tuple[float, float] | None, element: dict[str, Any]) -> bool:
    if point is None:
        return False
    x0, y0, x1, y1 = element["bbox_xyxy_px"]
    return bool(x0 <= point[0] < x1 and y0 <= point[1] < y1)


def _iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / max(areas - width * height, 1e-9)


def _scaled(line: TextLine, factor: float) -> TextLine:
    x0, y0, x1, y1 = (value * factor for value in line.bbox_xyxy_px)
    return TextLine(text=line.text, bbox_xyxy_px=(x0, y0, x1, y1), score=line.score)


def _processor() -> str:
    """Name of the processor, as Linux knows it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
