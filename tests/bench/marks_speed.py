"""Times marking against supervision on the same masks, stage by stage, and weighs it in a child process."""

import ctypes
import json
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from supervision.detection.compact_mask import CompactMask

from app.imaging.encode import encode, read_canonical
from models.marks import STYLES, mark, paint, place
from models.regions import Regions
from tests.bench.synthetic import Case, case

SOM_S = {10: 0.33, 50: 1.02, 150: 2.82}  # SoM's Visualizer, Mask and Mark, 1024 x 683, 2 vCPU
LABEL_PX = 19  # what supervision's text of scale 0.5 with padding 4 comes to
# Every label the same size, as in the other program; ours would be smaller on small regions.
STYLE = replace(
    STYLES["markwise"],
    draw=("mask", "contour", "mark"),
    label_height_px=LABEL_PX * 640 / 683,
    fixed_label=True,
    max_marks=1000,
)
_ANCHORS = {"centre of mass": sv.Position.CENTER_OF_MASS, "bbox centre": sv.Position.CENTER}
ROWS = (
    "ours, ready",
    *(f"supervision, {anchor}, ready" for anchor in _ANCHORS),
    "ours, dense",
    *(f"supervision, {anchor}, dense" for anchor in _ANCHORS),
)


class Supervision:
    """supervision set up as well as it can be: compact masks, fills, outlines and numbers."""

    def __init__(self, one: Case, anchor: str, *, smart: bool = False) -> None:
        self.image, self.masks = one.image, np.stack(one.masks)
        self.names = [str(k + 1) for k in range(len(self.masks))]
        look = sv.ColorLookup.INDEX
        self.fill = sv.MaskAnnotator(color_lookup=look, opacity=0.25)
        self.outline = sv.PolygonAnnotator(color_lookup=look, thickness=1)
        self.label = sv.LabelAnnotator(
            color_lookup=look, text_position=_ANCHORS[anchor], text_scale=0.5, text_padding=4, smart_position=smart
        )
        self.detections = self.prepare()

    def prepare(self) -> sv.Detections:
        """Return the detections from dense masks."""
        boxes = sv.mask_to_xyxy(self.masks).astype(np.float32)
        compact = CompactMask.from_dense(self.masks, boxes, self.image.shape[:2])
        return sv.Detections(xyxy=boxes, mask=compact, class_id=np.arange(len(boxes)))

    def paint(self, detections: sv.Detections | None = None) -> NDArray[np.uint8]:
        """Return the picture."""
        found = detections or self.detections
        scene = self.outline.annotate(self.fill.annotate(self.image.copy(), found), found)
        return np.asarray(self.label.annotate(scene, found, self.names))

    def labels(self) -> list[tuple[float, float, float, float]]:
        """Return the label boxes, as the annotator computes them before it draws."""
        found = self.label._get_label_properties(self.detections, self.names)
        if self.label.smart_position:
            size_wh = (self.image.shape[1], self.image.shape[0])
            found = self.label._adjust_labels_in_frame(size_wh, self.names, found)
        return [(box[0], box[1], box[2], box[3]) for box in found[:, :4].astype(int).tolist()]


def speed(one: Case, rounds: int) -> dict[str, float]:
    """Return the median CPU milliseconds of every row, the programs taking turns."""
    size_hw = one.image.shape[:2]
    ready = Regions.from_masks(size_hw, one.masks)
    runs: dict[str, Callable[[], Any]] = {
        "ours, ready": lambda: mark(one.image, ready, STYLE),
        "ours, dense": lambda: mark(one.image, Regions.from_masks(size_hw, one.masks), STYLE),
    }
    for anchor in _ANCHORS:
        peer = Supervision(one, anchor)
        runs[f"supervision, {anchor}, ready"] = peer.paint
        runs[f"supervision, {anchor}, dense"] = lambda peer=peer: peer.paint(peer.prepare())
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            spent[name].append(_cpu_ms(run))
    return {name: statistics.median(spent[name]) for name in ROWS}


def stages(one: Case, rounds: int) -> dict[str, float]:
    """Return the median CPU milliseconds from stored bytes to an encoded overlay."""
    data = encode(one.image)
    regions = Regions.from_masks(one.image.shape[:2], one.masks)
    marking = place(regions, STYLE)
    overlay = paint(one.image, regions, marking)
    runs: dict[str, Callable[[], Any]] = {
        "decode PNG": lambda: read_canonical(data),
        "masks to regions": lambda: Regions.from_masks(one.image.shape[:2], one.masks),
        "place": lambda: place(regions, STYLE),
        "paint": lambda: paint(one.image, regions, marking),
        "encode PNG": lambda: encode(overlay, "png"),
        "encode JPEG": lambda: encode(overlay, "jpg"),
    }
    return {name: statistics.median(_cpu_ms(run) for _ in range(rounds)) for name, run in runs.items()}


def _cpu_ms(run: Callable[[], Any]) -> float:
    started = time.process_time()
    run()
    return 1000 * (time.process_time() - started)


def memory(count: int) -> dict[str, float]:
    """Return what marking adds at its peak in a child that holds image and regions, in MB (10^6 bytes)."""
    command = [sys.executable, "-m", "tests.bench.marks_speed", str(count)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[2])
    return dict(json.loads(shown.stdout))


def _weigh(count: int) -> dict[str, float]:
    one = case(count)
    image, regions = one.image, Regions.from_masks(one.image.shape[:2], one.masks)
    del one
    mark(image, regions.take([0]), STYLE)  # fonts, colours and libraries belong to the process
    ctypes.CDLL(None).malloc_trim(0)  # what was freed above would hide what is taken below
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = _resident("VmRSS")
    mark(image, regions, STYLE)
    added = _resident("VmHWM") - before
    tracemalloc.start()
    mark(image, regions, STYLE)
    traced = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"peak above image and regions, RSS": added / 1e6, "the same, traced by Python": traced / 1e6}


def _resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(f"/proc/self/status has no {field}")


if __name__ == "__main__":
    print(json.dumps(_weigh(int(sys.argv[1]))))
