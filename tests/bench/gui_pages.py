"""Marks the pages of the interface bench and keeps, per page, what every stage took. Used by tests.bench.gui."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.marks import Marking, place
from models.protocols import SegmentRequest
from models.regions import Regions
from models.segmenters.fused import fuse
from models.segmenters.gui import GuiSegmenter
from models.segmenters.ocr import OcrReader, PageText, TextLine
from models.segmenters.provided import ProvidedSegmenter
from models.segmenters.screen_scale import working_copy

Image8 = NDArray[np.uint8]
STAGES = ("text detection", "elements", "recognition", "assembly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What marking a picture once took, in all and by stage: wall and CPU seconds."""

    wall_s: float
    cpu_s: float
    stages: dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A marked screenshot with its truth. `lines` is all text on it, for the plain baseline."""

    name: str
    image: Image8
    elements: tuple[dict[str, Any], ...]
    regions: Regions
    marking: Marking
    lines: tuple[TextLine, ...]
    first: Look
    again: Look | None = None
    changed: Look | None = None


class Clock:
    """Adds up wall and CPU time by stage; a stage inside another is taken off the outer one."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._open: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        self._open.append(name)
        try:
            yield
        finally:
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            self._open.pop()
            for stage, sign in ((name, 1), *(((self._open[-1], -1),) if self._open else ())):
                self.spent[stage][0] += sign * wall
                self.spent[stage][1] += sign * cpu


class TimedReader:
    """The reader, clocked."""

    def __init__(self, reader: OcrReader, clock: Clock) -> None:
        self.reader, self.clock, self.version = reader, clock, reader.version

    def locate(self, image: Image8) -> Any:
        with self.clock.stage("text detection"):
            return self.reader.locate(image)

    def recognise(self, image: Image8, boxes: Any) -> Any:
        with self.clock.stage("recognition"):
            return self.reader.recognise(image, boxes)


class TimedDetector:
    """The element detector, clocked."""

    def __init__(self, detector: Any, clock: Clock) -> None:
        self.detector, self.clock = detector, clock

    @property
    def threshold(self) -> float:
        return float(self.detector.threshold)

    def detect(self, *given: Any, **named: Any) -> Any:
        with self.clock.stage("elements"):
            return self.detector.detect(*given, **named)


class TimedFinder:
    """The finder, clocked."""

    def __init__(self, finder: Any, clock: Clock, stage: str) -> None:
        self.finder, self.clock, self.stage, self.version = finder, clock, stage, finder.version

    def find(self, image: Image8, text: PageText) -> Any:
        with self.clock.stage(self.stage):
            return self.finder.find(image, text)


FinderOf = Callable[[Clock], TimedFinder]


class Bench:
    """One reader and one finder that mark page after page, as a worker does."""

    def __init__(self, finder_of: FinderOf, *, threads: int = 2, device_pixel_ratio: bool = False) -> None:
        self.clock = Clock()
        self.reader = OcrReader(threads)
        self.segmenter = GuiSegmenter(TimedReader(self.reader, self.clock), finder_of(self.clock))
        self.tell_ratio = device_pixel_ratio
        warm = np.full((300, 600, 3), 255, np.uint8)
        warm[100:120, 50:300:7] = 0
        self._look(warm, 1.0)

    def page(self, entry: dict[str, Any], image: Image8, *, looks: bool = True) -> Page:
        """Mark one page; with `looks` also a second time, and once more after its middle element changed."""
        # Callers seldom know the pixel ratio, so it is withheld by default.
        ratio = float(entry.get("device_pixel_ratio", 1.0)) if self.tell_ratio else 1.0
        regions, marking, first = self._look(image, ratio)
        again = self._look(image, ratio)[2] if looks else None
        changed = self._look(with_change(image, entry["elements"]), ratio)[2] if looks else None
        return Page(
            name=entry["image"],
            image=image,
            elements=tuple(entry["elements"]),
            regions=regions,
            marking=marking,
            lines=self._all_lines(image, ratio),
            first=first,
            again=again,
            changed=changed,
        )

    def _look(self, image: Image8, ratio: float) -> tuple[Regions, Marking, Look]:
        self.clock.spent.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        with self.clock.stage("assembly"):
            regions = self.segmenter.segment(image, SegmentRequest(device_pixel_ratio=ratio))
            marking = place(regions)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        stages = {name: tuple(self.clock.spent[name]) for name in STAGES}
        return regions, marking, Look(wall_s=wall, cpu_s=cpu, stages=stages)

    def _all_lines(self, image: Image8, ratio: float) -> tuple[TextLine, ...]:
        work, scale = working_copy(image, ratio)
        lines = PageText(self.reader, work).read_all()
        return tuple(
            TextLine(text=line.text, bbox_xyxy_px=tuple(v / scale for v in line.bbox_xyxy_px), score=line.score)
            for line in lines
        )


def with_change(image: Image8, elements: Any) -> Image8:
    """Return the page after the element nearest its middle changed: its colours are inverted, as if it were pressed."""
    if not len(elements):
        return image.copy()
    middle = np.array([image.shape[1] / 2, image.shape[0] / 2])
    boxes = np.array([element["bbox_xyxy_px"] for element in elements])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    x0, y0, x1, y1 = boxes[np.abs(centres - middle).sum(axis=1).argmin()].astype(int)
    changed = image.copy()
    changed[max(y0, 0) : y1, max(x0, 0) : x1] = 255 - changed[max(y0, 0) : y1, max(x0, 0) : x1]
    return changed


def entries(data: Path) -> Iterator[tuple[dict[str, Any], Image8]]:
    """Yield every page of a folder with `elements.json`, or of a shard of drawn pages with `pages.jsonl`."""
    if (data / "elements.json").is_file():
        every = json.loads((data / "elements.json").read_text())
    else:
        every = [json.loads(line) for line in (data / "pages.jsonl").read_text().splitlines()]
    for entry in every:
        entry.setdefault("image", f"{entry.get('seed')}.png")
        entry["elements"] = [element for element in entry["elements"] if element["role"] != "ignore"]
        yield entry, np.array(Image.open(data / entry["image"]).convert("RGB"))


def told(page: Page) -> Page:
    """Return the page marked with its elements stated as an accessibility tree beside what its pixels showed."""
    tree = [
        {"role": one["role"], "name": one["name"], "bbox_xyxy_px": list(one["bbox_xyxy_px"])} for one in page.elements
    ]
    stated = ProvidedSegmenter().segment(page.image, SegmentRequest(accessibility_tree=tree))
    regions = fuse(stated, page.regions)
    return replace(page, regions=regions, marking=place(regions))
