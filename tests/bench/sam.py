"""Everything-mode of SAM at the ViT-B shape on a CPU, ours against the published generator. Run: python -m tests.bench.sam.

Weights are random (none can be published here), so predicted IoU and stability mean nothing: both thresholds are set to
quantiles of the scores, so that about 30 % of the candidates pass the first and half of those the second, as in life (5 to
15 % of 3,072 survive). Box suppression is off on both sides: masks of a random network are speckle over the whole frame,
and it would leave one to compare. Speckle is the worst case for our enlarging, which works on a mask's own box.
Each program runs in a child process on one thread; times are process CPU seconds, memory is the peak over the loaded model.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "sam"
SIZE_HW = (683, 1024)
PASS_SCORE, PASS_STABILITY = 0.30, 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=32, help="grid points per side; 32 is everybody's default")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--child", choices=["thresholds", "ours", "reference"], help=argparse.SUPPRESS)
    parser.add_argument("--given", default="{}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options.points, json.loads(options.given))))
        return
    given = child("thresholds", options.points, {})
    runs = {name: child(name, options.points, given) for name in ("ours", "reference")}
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": {"processor": processor(), "cpus": os.cpu_count(), "load_average": os.getloadavg()[0]},
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "numpy", "segment-anything")},
        "python": platform.python_version(),
        "shape": "ViT-B, random weights",
        "image_hw": SIZE_HW,
        "points_per_side": options.points,
        "candidates": 3 * options.points**2,
        **given,
        **agreement(runs["ours"].pop("masks"), runs["reference"].pop("masks")),
        "runs": runs,
    }
    shown = table(result)
    print(shown)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "table.md").write_text(shown + "\n")
    (options.out / "sam.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {options.out}")


def child(name: str, points: int, given: dict[str, Any]) -> Any:
    """One program in a process of its own: its memory is its own."""
    argv = [sys.executable, "-m", "tests.bench.sam", "--child", name, "--points", str(points)]
    print(f"running {name} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [*argv, "--given", json.dumps(given)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def picture() -> np.ndarray:
    """A drawn picture with things of all sizes, (683, 1024, 3) uint8."""
    rng = np.random.default_rng(5)
    high, wide = SIZE_HW
    made = np.full((high, wide, 3), 200, np.uint8)
    for _ in range(40):
        y, x, h, w = rng.integers(0, high), rng.integers(0, wide), rng.integers(10, 300), rng.integers(10, 300)
        made[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return made


def network() -> Any:
    """The published network with random weights, the same in every process."""
    import torch

    from tests.sam_reference import liven, reference

    torch.set_num_threads(1)
    torch.manual_seed(0)
    return liven(reference().sam_model_registry["vit_b"]())


def thresholds(points: int, given: dict[str, Any]) -> dict[str, float]:
    """Quantiles of the scores of 36 points."""
    from models.segmenters.sam.everything import Everything, find_everything
    from models.segmenters.sam.network import build

    loose = Everything(points_per_side=6, score_min=-1e9, stability_min=0.0, most_iou=1.0)
    found = find_everything(build(network().state_dict()), picture(), loose)
    score = max(1e-6, float(np.quantile(found.scores, 1 - PASS_SCORE)))
    stable = found.stability[found.scores > score]
    return {"score_min": score, "stability_min": float(np.nanquantile(stable, 1 - PASS_STABILITY))}


def ours(points: int, given: dict[str, Any]) -> dict[str, Any]:
    from models import rle
    from models.segmenters.sam.everything import Everything, find_everything
    from models.segmenters.sam.network import build

    loaded = build(network().state_dict())
    settings = Everything(points_per_side=points, most_iou=1.0, **given)
    image = picture()
    before, started = peak_mb(), time.process_time()
    embedding = loaded.encode([image])[0]
    encoded = time.process_time()
    found = find_everything(loaded, image, settings, whole=embedding)
    ended = time.process_time()
    masks = [{"size": list(SIZE_HW), "counts": rle.write_counts(runs)} for runs in found.runs]
    return report(started, encoded, ended, before, masks)


def reference(points: int, given: dict[str, Any]) -> dict[str, Any]:
    from tests.sam_reference import reference as published

    sam = network()
    generator = published().SamAutomaticMaskGenerator(
        sam,
        points_per_side=points,
        pred_iou_thresh=given["score_min"],
        stability_score_thresh=given["stability_min"],
        box_nms_thresh=1.0,
        output_mode="coco_rle",
    )
    image, times = picture(), [0.0]

    def timed(pixels: Any) -> Any:
        begun = time.process_time()
        embedded = forward(pixels)
        times[0] += time.process_time() - begun
        return embedded

    forward, sam.image_encoder.forward = sam.image_encoder.forward, timed
    before, started = peak_mb(), time.process_time()
    records = generator.generate(image)
    ended = time.process_time()
    return report(started, started + times[0], ended, before, [record["segmentation"] for record in records])


def report(started: float, encoded: float, ended: float, before: float, masks: list[Any]) -> dict[str, Any]:
    return {
        "encoder_s": encoded - started,
        "rest_s": ended - encoded,
        "total_s": ended - started,
        "peak_mb": peak_mb() - before,
        "masks": masks,
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def agreement(one: list[Any], other: list[Any]) -> dict[str, Any]:
    """How far the two programs found the same masks: numbers, and the IoU of each with its best partner."""
    from pycocotools import mask as coco

    if not one or not other:
        return {"masks_ours": len(one), "masks_reference": len(other), "matched": 0}
    best = coco.iou(one, other, [0] * len(other)).max(axis=0)
    return {
        "masks_ours": len(one),
        "masks_reference": len(other),
        "matched": int((best >= 0.999).sum()),
        "least_iou": float(best.min()),
    }


def table(result: dict[str, Any]) -> str:
    mine, theirs = result["runs"]["ours"], result["runs"]["reference"]
    lines = [
        (
            f"SAM everything-mode, {result['shape']}, {SIZE_HW[1]}x{SIZE_HW[0]}, {result['points_per_side']} points a side, "
            f"1 thread of {result['hardware']['processor']}, torch {result['versions']['torch']}, {result['date']}"
        ),
        "",
        "| process CPU seconds | ours | segment-anything | ratio |",
        "|---|---|---|---|",
    ]
    for key, name in (("encoder_s", "encoder"), ("rest_s", "all after the encoder"), ("total_s", "whole picture")):
        lines.append(f"| {name} | {mine[key]:.1f} | {theirs[key]:.1f} | {theirs[key] / mine[key]:.1f}x |")
    ratio = theirs["peak_mb"] / mine["peak_mb"]
    lines.append(f"| peak memory over the model, MB | {mine['peak_mb']:.0f} | {theirs['peak_mb']:.0f} | {ratio:.1f}x |")
    lines += [
        "",
        (
            f"{result['candidates']} candidates, score > {result['score_min']:.4f}, stability >= "
            f"{result['stability_min']:.4f} (quantiles; the weights are random): {result['masks_ours']} masks, reference "
            f"{result['masks_reference']}, {result['matched']} of them with IoU >= 0.999 to one of ours."
        ),
    ]
    return "\n".join(lines)


CHILDREN = {"thresholds": thresholds, "ours": ours, "reference": reference}

if __name__ == "__main__":
    main()
