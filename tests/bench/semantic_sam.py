"""Semantic-SAM by stage at 640 x 800, Swin-T: seconds beside the published code's. Run: python -m tests.bench.semantic_sam.

The weights are random, which changes no stage's work but that of the masks: their number is stated. The published code's
seconds were taken once, wall clock on two busy cores; ours are process CPU seconds on one thread, so compare the shape. What
bfloat16 changes is printed as differences of scores, logits and masks. `--device cuda` measures pictures per second instead.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from models.segmenters.semantic_sam import deformable
from models.segmenters.semantic_sam.everything import Everything, find_everything
from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.picture import normalised
from models.segmenters.semantic_sam.rehearsal import RANDOM, random_network
from tests.bench.sam import processor

RESULTS = Path(__file__).parent / "results"
SIZE_HW = (640, 800)
# Swin-T, 640 x 800, float32, wall seconds on two busy cores; the decoder made masks at each of its nine layers.
PUBLISHED_S = {"backbone": 8.4, "pixel decoder": 15.6, "decoder, 1 point": 4.1, "decoder, 64 points": 9.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["swin-t", "swin-l"], default="swin-t")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--points", type=int, default=32, help="grid points per side of everything-mode; 0 leaves it out"
    )
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("--device cuda needs a CUDA device and a CUDA build of torch; there is none here")
    measure = on_cpu if options.device == "cpu" else on_gpu
    with torch.inference_mode():
        result = about(options) | measure(options)
    shown = table(result)
    print(shown)
    out = options.out or RESULTS / ("semantic_sam" if options.device == "cpu" else "semantic_sam_gpu")
    out.mkdir(parents=True, exist_ok=True)
    (out / "table.md").write_text(shown + "\n")
    (out / "semantic_sam.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"written to {out}")


def about(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": processor() if options.device == "cpu" else torch.cuda.get_device_name(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "numpy")},
        "device": options.device,
        "shape": options.shape,
        "image_hw": SIZE_HW,
    }


def pictures(count: int) -> list[np.ndarray]:
    """Drawn pictures, (640, 800, 3) uint8."""
    rng = np.random.default_rng(5)
    made = []
    for _ in range(count):
        image = np.full((*SIZE_HW, 3), 200, np.uint8)
        for _ in range(40):
            y, x, h, w = rng.integers(0, SIZE_HW[0]), rng.integers(0, SIZE_HW[1]), *rng.integers(10, 300, 2)
            image[y : y + h, x : x + w] = rng.integers(0, 255, 3)
        made.append(image)
    return made


def on_cpu(options: argparse.Namespace) -> dict[str, Any]:
    torch.set_num_threads(1)
    network, image = random_network(RANDOM[f"random-{options.shape}"]), pictures(1)[0]
    stages = [stages_of(network, image) for _ in range(options.repeats)]
    result = {
        "threads": 1,
        "repeats": options.repeats,
        "stages_s": {name: median(run[name] for run in stages) for name in stages[0]},
        "bfloat16": deviation(network, image, options.shape),
    }
    return result | (everything(network, image, options.points) if options.points else {})


def stages_of(network: SemanticSam, image: np.ndarray) -> dict[str, float]:
    """CPU seconds of each stage."""
    seconds: dict[str, float] = {}

    def timed(name: str, run: Callable[[], Any]) -> Any:
        print(f"{name} ...", file=sys.stderr, flush=True)
        started = time.process_time()
        found = run()
        seconds[name] = time.process_time() - started
        return found

    head = network.sem_seg_head
    pixels = timed("resize and normalise", lambda: normalised([image], network.device))
    maps = timed("backbone", lambda: network.backbone(pixels))
    decoded = timed("pixel decoder", lambda: head.pixel_decoder(maps))
    rows, deformable.sampled_by_rows = deformable.sampled_by_rows, deformable.sampled_by_grid
    timed("pixel decoder by grid_sample", lambda: head.pixel_decoder(maps))
    deformable.sampled_by_rows = rows
    memory = timed("memory for all clicks", lambda: head.predictor.decoder.memory(decoded.maps))
    for count in (1, 64, 200):
        boxes = torch.cat([torch.rand(count, 2), torch.full((count, 2), 0.005)], dim=1)
        kinds = torch.zeros(count, dtype=torch.long)
        word = "point" if count == 1 else "points"
        timed(f"decoder, {count} {word}", lambda b=boxes, k=kinds: head.predictor(b, k, memory))
    return seconds


def everything(network: SemanticSam, image: np.ndarray, per_side: int) -> dict[str, Any]:
    """A whole picture at level 2; one click in a hundred is sure, more or less."""
    started = time.process_time()
    picture = network.prompted(network.encode([image])[0])
    encoded = time.process_time()
    found = find_everything(picture, Everything(levels=(2,), points_per_side=per_side))
    return {
        "everything": {
            "points_per_side": per_side,
            "encode_s": encoded - started,
            "grid_s": time.process_time() - encoded,
            "masks": len(found.runs),
        }
    }


def deviation(network: SemanticSam, image: np.ndarray, shape: str) -> dict[str, float]:
    """What backbone and pixel decoder in bfloat16 change for 64 clicks."""
    rounded = random_network(RANDOM[f"random-{shape}"]).to(network.device).in_precision(torch.bfloat16)
    points = torch.rand(64, 2, generator=torch.Generator().manual_seed(0))
    clicks, slots = torch.arange(64), torch.full((64,), 2)
    scores, logits = [], []
    for net in (network, rounded):
        answers = net.prompted(net.encode([image])[0]).ask(points)
        scores.append(answers.scores.cpu())
        logits.append(answers.logits(clicks.to(net.device), slots.to(net.device)).cpu())
    one, other = (item > 0 for item in logits)
    iou = (one & other).sum((1, 2)) / (one | other).sum((1, 2)).clamp(min=1)
    change = (logits[0] - logits[1]).abs()
    return {
        "scores_largest": float((scores[0] - scores[1]).abs().max()),
        "scores_mean": float((scores[0] - scores[1]).abs().mean()),
        "logits_mean_of_spread": float(change.mean() / logits[0].std()),
        "mask_iou_median": float(iou.median()),
        "mask_iou_least": float(iou.min()),
    }


def on_gpu(options: argparse.Namespace) -> dict[str, Any]:
    """Pictures per second of the encoder and of everything at level 2."""
    rows = []
    for name, dtype, at_once in (
        ("float32", torch.float32, 1),
        ("bfloat16", torch.bfloat16, 1),
        ("bfloat16", torch.bfloat16, 8),
    ):
        network = random_network(RANDOM[f"random-{options.shape}"]).to("cuda").in_precision(dtype)
        images = pictures(8)

        def encode(net: SemanticSam = network, some: int = at_once, given: list[np.ndarray] = images) -> list[Any]:
            return [item for at in range(0, len(given), some) for item in net.encode(given[at : at + some])]

        embeddings = encode()
        settings = Everything(levels=(2,), points_per_side=options.points or 32)
        torch.cuda.reset_peak_memory_stats()
        encoded = seconds_of(encode)
        found = seconds_of(lambda n=network, e=embeddings, s=settings: [find_everything(n.prompted(x), s) for x in e])
        rows.append(
            {
                "name": f"{name}, {at_once} a pass",
                "encode_per_s": len(images) / encoded,
                "everything_per_s": len(images) / (encoded + found),
                "peak_gb": torch.cuda.max_memory_allocated() / 1e9,
            }
        )
    network = random_network(RANDOM[f"random-{options.shape}"]).to("cuda")
    return {"rows": rows, "bfloat16": deviation(network, pictures(1)[0], options.shape)}


def seconds_of(run: Callable[[], Any]) -> float:
    run()
    torch.cuda.synchronize()
    started = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def table(result: dict[str, Any]) -> str:
    lines = [
        (
            f"Semantic-SAM {result['shape']} (random weights), {SIZE_HW[0]}x{SIZE_HW[1]}, {result['hardware']}, "
            f"torch {result['versions']['torch']}, {result['date']}"
        ),
        "",
    ]
    lines += stage_lines(result) if result["device"] == "cpu" else gpu_lines(result)
    off = result["bfloat16"]
    lines += [
        "",
        (
            f"bfloat16 in backbone and pixel decoder, 64 clicks: scores differ by {off['scores_largest']:.4f} at most and "
            f"{off['scores_mean']:.4f} in the mean, logits by {off['logits_mean_of_spread']:.4f} of their spread in the mean; IoU of "
            f"the masks {off['mask_iou_median']:.4f} (median), {off['mask_iou_least']:.4f} (least)."
        ),
    ]
    return "\n".join(lines)


def stage_lines(result: dict[str, Any]) -> list[str]:
    lines = [
        f"1 thread, median of {result['repeats']}, load average {result['load_average']:.1f}",
        "",
        "| stage | ours, CPU s | published code, wall s on 2 busy cores |",
        "|---|---|---|",
    ]
    for name, value in result["stages_s"].items():
        told = PUBLISHED_S.get(name) if result["shape"] == "swin-t" else None
        lines.append(f"| {name} | {value:.2f} | {'' if told is None else told} |")
    if "everything" in result:
        whole = result["everything"]
        lines += [
            "",
            (
                f"Everything at level 2, {whole['points_per_side']} points a side: {whole['encode_s']:.1f} s to encode, "
                f"{whole['grid_s']:.1f} s for the grid, {whole['masks']} masks."
            ),
        ]
    return lines


def gpu_lines(result: dict[str, Any]) -> list[str]:
    return [
        "| | encoded pictures/s | everything, pictures/s | peak GB |",
        "|---|---|---|---|",
        *(
            f"| {row['name']} | {row['encode_per_s']:.1f} | {row['everything_per_s']:.2f} | {row['peak_gb']:.1f} |"
            for row in result["rows"]
        ),
    ]


if __name__ == "__main__":
    main()
