"""Measures the shipped element detector on the screenshots in ../shared/data/gui. Run: python -m tests.bench.detector.

The screenshots never enter training. Recall: a mark of its own with box IoU >= 0.5 and its middle inside; inside: the
middle alone. The pixel ratio is withheld, as callers seldom know it. `--picture` writes marks over the truth of one page.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import statistics
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from models.detector.evaluate import scored, table
from models.detector.measure import Scored
from models.segmenters.detector import WEIGHTS, ElementDetector

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "gui"
RESULT = Path(__file__).parent / "results" / "detector.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, default=RESULT)
    parser.add_argument("--picture", default="", help="name of a screenshot to draw")
    parser.add_argument("--picture-out", type=Path, default=Path("detector.png"))
    options = parser.parse_args()
    detector = ElementDetector(options.weights, threads=options.threads)
    pages, walls = [], []
    for entry in json.loads((options.data / "elements.json").read_text()):
        image = np.array(Image.open(options.data / entry["image"]).convert("RGB"))
        boxes = np.array([one["bbox_xyxy_px"] for one in entry["elements"]], np.float32).reshape(-1, 4)
        started = time.perf_counter()
        pages.append(scored(detector, image, boxes, np.zeros(len(boxes), np.int64)))
        walls.append(time.perf_counter() - started)
        if entry["image"] == options.picture:
            _draw(image, pages[-1], detector.threshold, options.picture_out)
    text, figures = table("gui", pages, detector.threshold)
    print(text.splitlines()[0], *text.splitlines()[1:-1], sep="\n")
    print(f"  {statistics.median(walls[1:]):.3f} s per page (median, wall, {options.threads} threads)")
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
        "median_wall_s": round(statistics.median(walls[1:]), 3),
        **{name: value for name, value in figures.items() if "role" not in name},
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")


def _draw(image: np.ndarray, page: Scored, threshold: float, out: Path) -> None:
    drawn = image[:, :, ::-1].copy()
    for box in page.true_boxes:
        x0, y0, x1, y1 = (round(float(value)) for value in box)
        cv2.rectangle(drawn, (x0, y0), (x1 - 1, y1 - 1), (60, 180, 60), 3)
    for box, score in zip(page.boxes, page.scores, strict=True):
        if score >= threshold:
            x0, y0, x1, y1 = (round(float(value)) for value in box)
            cv2.rectangle(drawn, (x0, y0), (x1 - 1, y1 - 1), (40, 40, 230), 1)
    cv2.imwrite(str(out), drawn)


if __name__ == "__main__":
    main()
