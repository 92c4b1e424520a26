"""Measures marking: speed against supervision, placement, numbering under jitter, memory. Run: python -m tests.bench.marks.

Both programs draw the same masks (`tests.bench.synthetic`): fills, outlines and a number each, labels of equal height.
"Ready" input is what each works on (RLE and boxes; CompactMask and boxes), "dense" is N x H x W bool. Programs take turns
in one process; figures are medians of process CPU time, so that a busy machine disturbs little. SoM's figures are the
published measurement of its own Visualizer on 2 vCPU. supervision is a need of this bench alone (extra `bench`).
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2

from models.marks import mark
from models.regions import Regions
from tests.bench import marks_placement, marks_speed
from tests.bench.synthetic import Case, case

ROOT = Path(__file__).resolve().parents[2]
COCO = ROOT.parent / "shared" / "data" / "coco"
RESULTS = Path(__file__).parent / "results" / "marks"
COUNTS = (10, 50, 150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the table, the JSON and the pictures")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each program")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    cases = {count: case(count) for count in COUNTS}
    result: dict[str, Any] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"processor": _processor(), "cpus": os.cpu_count(), "load_average": os.getloadavg()[0]},
        "versions": {
            name: importlib.metadata.version(name) for name in ("numpy", "opencv-python-headless", "supervision")
        },
        "speed": {count: marks_speed.speed(one, options.rounds) for count, one in cases.items()},
        "stages_ms": {count: marks_speed.stages(one, options.rounds) for count, one in cases.items()},
        "memory_mb": {count: marks_speed.memory(count) for count in COUNTS},
        "placement": {count: marks_placement.placement(one) for count, one in cases.items()},
        "renumbered": {count: marks_placement.renumbered(count) for count in COUNTS},
    }
    if COCO.is_dir():
        result["coco"] = marks_placement.coco(COCO)
    options.out.mkdir(parents=True, exist_ok=True)
    shown = table(result)
    print(shown)
    (options.out / "table.md").write_text(shown + "\n")
    (options.out / "marks.json").write_text(json.dumps(result, indent=1) + "\n")
    for count, one in cases.items():
        draw(one, options.out / f"n{count}")
    print(f"written to {options.out}")


def draw(one: Case, stem: Path) -> None:
    """Write our picture and supervision's of one case."""
    regions = Regions.from_masks(one.image.shape[:2], one.masks)
    pictures = {
        "ours": mark(one.image, regions, marks_speed.STYLE)[0],
        "supervision": marks_speed.Supervision(one, "centre of mass").paint(),
    }
    for name, picture in pictures.items():
        path = stem.with_name(f"{stem.name}_{name}.jpg")
        cv2.imwrite(str(path), picture[:, :, ::-1], (cv2.IMWRITE_JPEG_QUALITY, 80))


def table(result: dict[str, Any]) -> str:
    """The figures as Markdown tables."""
    lines = [
        f"Marks, {result['date']}, {result['hardware']['processor']}, supervision {result['versions']['supervision']}",
        "",
        _row("CPU ms per picture", [f"N={count}" for count in COUNTS]),
        "|---|---|---|---|",
    ]
    lines += [_row(name, [f"{result['speed'][n][name]:.1f}" for n in COUNTS]) for name in marks_speed.ROWS]
    for kind in ("ready", "dense"):
        for anchor in ("centre of mass", "bbox centre"):
            peer = f"supervision, {anchor}, {kind}"
            ratios = [result["speed"][n][peer] / result["speed"][n][f"ours, {kind}"] for n in COUNTS]
            lines.append(_row(f"ratio: {peer} over ours", [f"{ratio:.2f}x" for ratio in ratios]))
    lines.append(_row("SoM Visualizer, published", [f"{1000 * marks_speed.SOM_S[n]:.0f}" for n in COUNTS]))
    ratios = [1000 * marks_speed.SOM_S[n] / result["speed"][n]["ours, dense"] for n in COUNTS]
    lines.append(_row("ratio: SoM over ours, dense", [f"{ratio:.0f}x" for ratio in ratios]))
    lines += ["", _row("whole path, CPU ms", [f"N={count}" for count in COUNTS]), "|---|---|---|---|"]
    for part in ("stages_ms", "memory_mb"):
        lines += [_row(name, [f"{result[part][n][name]:.1f}" for n in COUNTS]) for name in result[part][COUNTS[0]]]
    return "\n".join([*lines, "", *marks_placement.table(result)])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    return next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "?")


if __name__ == "__main__":
    main()
