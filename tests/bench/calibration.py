"""`python -m tests.bench.calibration`: how far the shipped confidences can be trusted on pictures that nothing was fitted to.

Selection on the screenshots in ../shared/data/gui (by element names, from pixels) and on the photos in ../shared/data/coco (by
category, on people's own outlines), measured and never fitted. Prints the reliability tables before and after calibration with ECE,
Brier score and log loss, and draws the diagrams. Our own held-out third is measured by `markwise evaluate calibration`.
"""

import argparse
import datetime as dt
import json
import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import torch

from models.evaluation.calibrate import before_and_after, table
from models.evaluation.calibration import Reliability
from models.evaluation.selections import Known, Outcome, Thing, chosen, classified
from models.grounding.calibration import fitted
from models.protocols import SegmentRequest
from models.regions import Regions
from models.registry import segmenter
from models.vlm.local import LocalBackend
from models.vlm.types import VlmBackend
from workers.shelf import BUILT_IN_FOLDER

RESULTS = Path(__file__).parent / "results" / "calibration"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SIDE_PX = 260


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if not DATA.is_dir():
        raise SystemExit(f"no pictures: {DATA} is absent")
    backend, calibration = LocalBackend(BUILT_IN_FOLDER), fitted()
    if backend.version != calibration.weights:
        print(
            f"calibration.json is for weights {calibration.weights}, these are {backend.version}: the model's shares stay"
        )
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count()},
        "model": backend.version,
        "segmenter": segmenter("gui").version,
    }
    texts, tiles = [], []
    for name, outcomes in (
        ("screenshots", list(on_screens(backend))),
        ("photos", list(on_photos(backend, options.photos))),
    ):
        texts.append(f"{name}, {len(outcomes)} choices\n{table(outcomes, calibration)}")
        print(texts[-1], flush=True)
        old, new = before_and_after(outcomes, calibration)
        result[name] = {"before": scores(old), "after": scores(new)}
        tiles += [diagram(f"{name}: as the model says", old), diagram(f"{name}: calibrated", new)]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "calibration.txt").write_text("\n".join(texts) + "\n")
    (options.out / "calibration.json").write_text(json.dumps(result, indent=1) + "\n")
    cv2.imwrite(str(options.out / "reliability.png"), np.hstack(tiles))


def on_screens(backend: VlmBackend) -> Iterator[Outcome]:
    """Ask for elements of the screenshots by name, one in five by a name of another page."""
    pages = json.loads((DATA / "gui" / "elements.json").read_text())
    names = [element["name"] for page in pages for element in page["elements"] if element["name"]]
    for number, page in enumerate(pages):
        image = cv2.imread(str(DATA / "gui" / page["image"]), cv2.IMREAD_COLOR_RGB)
        regions = segmenter("gui").segment(image, SegmentRequest())
        things = [
            Thing(name=e["name"], role=e["role"], bbox_xyxy_px=tuple(e["bbox_xyxy_px"])) for e in page["elements"]
        ]
        yield from chosen(
            backend, Known.of(image, regions, things), names, Random(number), questions=99, calibrated=False
        )


def on_photos(backend: VlmBackend, count: int) -> Iterator[Outcome]:
    """Ask for things of the photos by category, and name their marks; the regions are people's outlines."""
    annotated = json.loads((DATA / "coco" / "instances.json").read_text())
    called = {category["id"]: category["name"] for category in annotated["categories"]}
    names = sorted(called.values())
    for photo in annotated["images"][:count]:
        parts = [a for a in annotated["annotations"] if a["image_id"] == photo["id"] and not a["iscrowd"]]
        parts = [a for a in parts if isinstance(a["segmentation"], list) and a["area"] >= 1_000]
        if not parts:
            continue
        image = cv2.imread(str(DATA / "coco" / "images" / photo["file_name"]), cv2.IMREAD_COLOR_RGB)
        regions = Regions.from_polygons(image.shape[:2], [a["segmentation"] for a in parts])
        things = [Thing(name=called[a["category_id"]], role="", bbox_xyxy_px=box(a["bbox"])) for a in parts]
        known, rng = Known.of(image, regions, things), Random(photo["id"])
        yield from chosen(backend, known, names, rng, questions=6, calibrated=False)
        yield from classified(backend, known, names, rng, calibrated=False)


def box(xywh: Sequence[float]) -> tuple[float, float, float, float]:
    """COCO's box as corners."""
    return xywh[0], xywh[1], xywh[0] + xywh[2], xywh[1] + xywh[3]


def scores(found: Reliability) -> dict[str, float]:
    """The table's last line."""
    return {
        "n": found.n,
        "accuracy": round(found.accuracy, 4),
        "confidence": round(found.confidence, 4),
        "ece": round(found.ece, 4),
        "brier": round(found.brier, 4),
        "log_loss": round(found.log_loss, 4),
    }


def diagram(title: str, found: Reliability) -> np.ndarray:
    """A reliability diagram: accuracy over confidence, dots as large as their bins; on the diagonal is honest."""
    picture = np.full((SIDE_PX + 60, SIDE_PX + 40, 3), 255, np.uint8)
    left, bottom = 30, SIDE_PX + 30
    cv2.rectangle(picture, (left, 30), (left + SIDE_PX, bottom), (170, 170, 170), 1)
    cv2.line(picture, (left, bottom), (left + SIDE_PX, 30), (170, 170, 170), 1, cv2.LINE_AA)
    for one in found.bins:
        at = (left + round(one.confidence * SIDE_PX), bottom - round(one.accuracy * SIDE_PX))
        cv2.circle(picture, at, 3 + round(14 * (one.n / found.n) ** 0.5), (160, 80, 20), -1, cv2.LINE_AA)
    cv2.putText(
        picture, f"{title}, ECE {found.ece:.3f}", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA
    )
    cv2.putText(
        picture, "confidence", (left + 90, bottom + 22), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA
    )
    return picture


if __name__ == "__main__":
    main()
