"""Everything-mode of SAM ViT-H on a GPU: images per second and memory. Run: make bench-gpu (refuses without CUDA).

The published generator in float32 against ours in float32, bfloat16, bfloat16 with torch.compile, and with several pictures
per forward pass of the encoder. Weights are random unless --weights names a checkpoint: with random ones both thresholds
are quantiles of the scores, see tests.bench.sam. Times are wall seconds between synchronisations, after one warm-up.
"""

import argparse
import datetime as dt
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.segmenters.sam.everything import Everything, find_everything
from models.segmenters.sam.network import SamNetwork, build
from models.weights import state_of
from tests.sam_reference import liven, pictures, reference

RESULTS = Path(__file__).parent / "results" / "sam_gpu"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["vit_h", "vit_l", "vit_b"], default="vit_h")
    parser.add_argument("--weights", type=Path, help="a checkpoint of that shape; random without")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--points", type=int, default=32)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit(
            "bench-gpu needs a CUDA device and a CUDA build of torch; there is none here. On a CPU: tests.bench.sam"
        )
    images = [np.asarray(enlarged(image)) for image in pictures(options.images)]
    sam = published(options.shape, options.weights).cuda()
    settings = chosen(sam, images[0], options)
    rows = measured(sam, settings, images)
    result = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "hardware": torch.cuda.get_device_name(),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "segment-anything")},
        "shape": options.shape,
        "weights": "random" if options.weights is None else options.weights.name,
        "images": len(images),
        "points_per_side": options.points,
        "rows": rows,
    }
    shown = table(result)
    print(shown)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "table.md").write_text(shown + "\n")
    (options.out / "sam_gpu.json").write_text(json.dumps(result, indent=1) + "\n")


def enlarged(image: np.ndarray) -> Any:
    from PIL import Image

    return Image.fromarray(image).resize((1024, 683))


def published(shape: str, weights: Path | None) -> Any:
    torch.manual_seed(0)
    sam = reference().sam_model_registry[shape]()
    if weights is None:
        return liven(sam)
    sam.load_state_dict(state_of(weights))
    return sam.eval()


def chosen(sam: Any, image: np.ndarray, options: argparse.Namespace) -> Everything:
    """The published thresholds for real weights, quantiles for random ones."""
    if options.weights is not None:
        return Everything(points_per_side=options.points)
    network = build({name: tensor.cpu() for name, tensor in sam.state_dict().items()}).to("cuda")
    loose = Everything(points_per_side=8, score_min=-1e9, stability_min=0.0, most_iou=1.0)
    found = find_everything(network, image, loose)
    score = max(1e-6, float(np.quantile(found.scores, 0.7)))
    stability = float(np.nanmedian(found.stability[found.scores > score]))
    return Everything(points_per_side=options.points, score_min=score, stability_min=stability)


def measured(sam: Any, settings: Everything, images: list[np.ndarray]) -> list[dict[str, Any]]:
    state = {name: tensor.cpu() for name, tensor in sam.state_dict().items()}
    rows = [row("segment-anything, float32", theirs(sam, settings), images)]
    sam.cpu()
    for name, dtype, compiled, batch in (
        ("ours, float32", torch.float32, False, 1),
        ("ours, bfloat16", torch.bfloat16, False, 1),
        ("ours, bfloat16, 8 pictures a pass", torch.bfloat16, False, 8),
        ("ours, bfloat16, compiled, 8 pictures a pass", torch.bfloat16, True, 8),
    ):
        network = build(state).to("cuda").in_precision(dtype)
        if compiled:
            network.image_encoder.compile()
        rows.append(row(name, lambda some, n=network, b=batch: everything(n, settings, some, b), images))
        del network
        torch.cuda.empty_cache()
    return rows


def theirs(sam: Any, settings: Everything) -> Callable[[list[np.ndarray]], list[int]]:
    generator = reference().SamAutomaticMaskGenerator(
        sam,
        points_per_side=settings.points_per_side,
        pred_iou_thresh=settings.score_min,
        stability_score_thresh=settings.stability_min,
        output_mode="coco_rle",
    )
    return lambda images: [len(generator.generate(image)) for image in images]


def everything(network: SamNetwork, settings: Everything, images: list[np.ndarray], batch: int) -> list[int]:
    """Masks per picture, `batch` pictures per forward pass."""
    counts = []
    for at in range(0, len(images), batch):
        some = images[at : at + batch]
        for image, embedding in zip(some, network.encode(some), strict=True):
            counts.append(len(find_everything(network, image, settings, whole=embedding).runs))
    return counts


def row(name: str, run: Callable[[list[np.ndarray]], list[int]], images: list[np.ndarray]) -> dict[str, Any]:
    print(f"running {name} ...", file=sys.stderr, flush=True)
    run(images)  # warm-up; compiles where that is asked for
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    counts = run(images)
    torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    return {
        "name": name,
        "images_per_s": len(images) / seconds,
        "peak_gb": torch.cuda.max_memory_allocated() / 1e9,
        "masks": sum(counts) / len(images),
    }


def table(result: dict[str, Any]) -> str:
    first = result["rows"][0]["images_per_s"]
    lines = [
        (
            f"SAM {result['shape']} ({result['weights']} weights) everything-mode, 1024x683, {result['points_per_side']} points a "
            f"side, {result['images']} pictures, {result['hardware']}, torch {result['versions']['torch']}, {result['date']}"
        ),
        "",
        "| | images/s | ratio | peak GB | masks a picture |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {item['name']} | {item['images_per_s']:.2f} | {item['images_per_s'] / first:.1f}x | "
        f"{item['peak_gb']:.1f} | {item['masks']:.0f} |"
        for item in result["rows"]
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
