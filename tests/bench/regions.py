"""Measures the weight-free photo regions on people's masks in ../shared/data/coco. Run: python -m tests.bench.regions.

A ground-truth mask is found if some region has an IoU of at least 0.5 with it; crowds are left out. Recall stands next
to the number of regions, for every granularity, and by the mask's size as COCO cuts it (32 x 32 and 96 x 96 px). CPU
seconds are process time for one picture, segmenting only, median. `best` is the mean over masks of the best IoU.
"""

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from models.drawings import scene
from models.protocols import SegmentRequest
from models.regions import Regions, Rle
from models.segmenters.regions import RegionsSegmenter

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "coco"
RESULTS = Path(__file__).parent / "results" / "regions"
SIZES = ("small", "medium", "large")
LEVELS = range(1, 7)

Picture = NDArray[np.uint8]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one granularity found."""

    regions: list[int] = field(default_factory=list)
    areas: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    best: dict[str, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})

    def row(self) -> dict[str, Any]:
        """The figures of the table."""
        every = [value for size in SIZES for value in self.best[size]]
        return {
            "regions": statistics.mean(self.regions),
            "median_area_share": statistics.median(self.areas),
            "recall": _recall(every),
            **{f"recall_{size}": _recall(self.best[size]) for size in SIZES},
            "best_iou": statistics.mean(every),
            "cpu_s": statistics.median(self.seconds),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with instances.json and images/")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo only")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where results go")
    options = parser.parse_args()
    if not (options.data / "instances.json").is_file():
        raise SystemExit(f"no photos: {options.data / 'instances.json'} does not exist")
    cv2.setNumThreads(1)
    segmenter = RegionsSegmenter()
    tallies = {level: Tally() for level in LEVELS}
    masks = photos = 0
    for picture, truth in load(options.data, options.every):
        photos, masks = photos + 1, masks + len(truth)
        for level, tally in tallies.items():
            measure(segmenter, level, picture, truth, tally)
    rows = {str(level): tally.row() for level, tally in tallies.items()}
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"machine": platform.machine(), "cpus": os.cpu_count(), "load_average": os.getloadavg()[0]},
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__},
        "segmenter": f"{segmenter.name} {segmenter.version}",
        "photos": photos,
        "masks": masks,
        "granularity": rows,
    }
    text = table(result)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "regions.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "table.txt").write_text(text + "\n")
    Image.fromarray(shown(segmenter)).save(options.out / "scene.png", optimize=True)
    print(f"written to {options.out}")


def load(data: Path, every: int) -> Iterator[tuple[Picture, list[Rle]]]:
    """Yield each photo with the masks that people drew on it."""
    document = json.loads((data / "instances.json").read_text())
    for image in document["images"][::every]:
        size = (image["height"], image["width"])
        truth = [
            _rle(annotation["segmentation"], size)
            for annotation in document["annotations"]
            if annotation["image_id"] == image["id"] and not annotation["iscrowd"]
        ]
        if truth:
            yield np.array(Image.open(data / "images" / image["file_name"]).convert("RGB")), truth


def measure(segmenter: RegionsSegmenter, level: int, picture: Picture, truth: list[Rle], tally: Tally) -> None:
    """Segment one photo at one granularity and add what it found."""
    started = time.process_time()
    regions = segmenter.segment(picture, SegmentRequest(granularity=level))
    tally.seconds.append(time.process_time() - started)
    tally.regions.append(len(regions))
    pixels = regions.size_hw[0] * regions.size_hw[1]
    tally.areas += [regions.area_px(i) / pixels for i in range(len(regions))]
    found = coco.iou(list(regions.rles), truth, [0] * len(truth)) if len(regions) else np.zeros((1, len(truth)))
    for area, best in zip(coco.area(truth).tolist(), np.max(found, axis=0).tolist(), strict=True):
        tally.best[SIZES[(area >= 32**2) + (area >= 96**2)]].append(best)


def table(result: dict[str, Any]) -> str:
    """The figures, one granularity a line."""
    head = f"{result['segmenter']} on {result['photos']} photos, {result['masks']} masks (IoU >= 0.5)"
    lines = [head, "granularity  regions  recall  small  medium  large  best IoU  median area  CPU s"]
    lines += [
        f"{level:>11}{row['regions']:>9.1f}{row['recall']:>8.3f}{row['recall_small']:>7.3f}{row['recall_medium']:>8.3f}"
        f"{row['recall_large']:>7.3f}{row['best_iou']:>10.3f}{row['median_area_share']:>13.4f}{row['cpu_s']:>7.2f}"
        for level, row in result["granularity"].items()
    ]
    return "\n".join(lines)


def shown(segmenter: RegionsSegmenter) -> Picture:
    """A drawn scene of ours with the outlines of what is found at granularity 1, 3 and 6, side by side."""
    drawn = scene(1_000_321).image
    views = [_outlined(drawn, segmenter.segment(drawn, SegmentRequest(granularity=level))) for level in (1, 3, 6)]
    return np.concatenate(views, axis=1)


def _outlined(picture: Picture, regions: Regions) -> Picture:
    view = picture.copy()
    for i in range(len(regions)):
        contours, _ = cv2.findContours(regions.mask(i).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(view, contours, -1, (255, 0, 200), 2)
    return view


def _rle(segmentation: Any, size: tuple[int, int]) -> Rle:
    if isinstance(segmentation, list):
        return Regions.from_polygons(size, [segmentation]).rles[0]
    packed = coco.frPyObjects(segmentation, *size) if isinstance(segmentation["counts"], list) else segmentation
    return {"size": list(size), "counts": packed["counts"]}


def _recall(values: list[float]) -> float:
    return sum(value >= 0.5 for value in values) / len(values) if values else float("nan")


if __name__ == "__main__":
    main()
