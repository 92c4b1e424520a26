"""Our own outputs, frozen: what guards Semantic-SAM where the reference run is not at hand.

Weights come from numpy's generator, by the order of the names, so no library's way of starting networks is in it.
`python -m tests.unit.models.segmenters.semantic_sam.frozen` writes frozen.json anew, and only a deliberate change may.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models import rle
from models.segmenters.semantic_sam.checkpoint import PREFIX, build
from models.segmenters.semantic_sam.clicking import click_box
from models.segmenters.semantic_sam.everything import Everything, find_everything
from models.segmenters.semantic_sam.network import SemanticSam
from models.segmenters.semantic_sam.rehearsal import RANDOM

FILE = Path(__file__).parent / "frozen.json"
POINTS = [[0.2, 0.3], [0.8, 0.1], [0.55, 0.9]]
SETTINGS = Everything(
    levels=(6, 1, 3), points_per_side=5, points_at_once=9, score_min=-10, stability_min=0.8, most_iou=0.99
)
# Values of a run on another machine differ by some 1e-5 of the largest.
RELATIVE = 1e-3


@cache
def state() -> dict[str, Tensor]:
    """A small network's state dict under the published names."""
    rng = np.random.default_rng(12)
    made = {}
    for name, tensor in SemanticSam(RANDOM["random-small"]).state_dict().items():
        values = rng.standard_normal(tuple(tensor.shape)).astype(np.float32)
        if name.endswith("weight") and tensor.dim() > 1:
            values *= 1.0 / np.sqrt(np.prod(tensor.shape[1:]))
        elif name.endswith("weight"):
            values = 1 + 0.1 * values
        else:
            values *= 0.3
        made[PREFIX + name] = torch.from_numpy(values)
    # So that slots and clicks differ, and masks are stable.
    for part, factor in (("mask_tokens", 40), ("label_enc", 8), ("pb_embedding", 8), ("mask_embed.layers.2", 30)):
        made[f"{PREFIX}sem_seg_head.predictor.{part}.weight"] *= factor
    return made


def network() -> SemanticSam:
    return build(state())


@cache
def picture() -> np.ndarray:
    """Rectangles on noise, (90, 120, 3) uint8; seen at 100 x 133 and padded to 128 x 160."""
    rng = np.random.default_rng(3)
    made = np.full((90, 120, 3), 150, np.uint8)
    for _ in range(9):
        y, x, h, w = rng.integers(0, 80), rng.integers(0, 110), rng.integers(8, 50), rng.integers(8, 60)
        made[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return made


@torch.no_grad()
def measured(network: SemanticSam) -> dict[str, Any]:
    """Scores, samples of features and masks, and what the generator and a box find."""
    network.short_px = 100
    embedding = network.encode([picture()])[0]
    prompted = network.prompted(embedding)
    answers = prompted.ask(torch.tensor(POINTS))
    logits = answers.logits(torch.arange(3), torch.tensor([0, 3, 5]))
    found = find_everything(prompted, SETTINGS)
    boxed = click_box(prompted, (0.1, 0.2, 0.5, 0.7))
    return {
        "size_hw": list(embedding.input_hw),
        "features": [_sample(item[0, ::9, ::3, ::3]) for item in embedding.features],
        "scores": _sample(answers.scores),
        "alone": _sample(prompted.ask(torch.tensor(POINTS[:1])).scores),
        "logits": _sample(logits[:, ::3, ::3]),
        "found": {
            "scores": _sample(torch.from_numpy(found.scores)),
            "stability": _sample(torch.from_numpy(found.stability)),
            "levels": found.levels.tolist(),
            "points": found.points_xy.tolist(),
            "masks": [rle.write_counts(runs) for runs in found.runs],
        },
        "boxed": {
            "scores": [round(mask.score, 5) for mask in boxed],
            "masks": [rle.write_counts(mask.runs) for mask in boxed],
        },
    }


def faults(found: dict[str, Any]) -> list[str]:
    """Names of the parts that are not as frozen."""
    kept = json.loads(FILE.read_text())
    size = tuple(kept["size_hw"])
    off = [name for name in ("scores", "alone", "logits") if not _near(found[name], kept[name])]
    off += [
        f"features.{at}"
        for at, (one, other) in enumerate(zip(found["features"], kept["features"], strict=True))
        if not _near(one, other)
    ]
    if found["size_hw"] != kept["size_hw"]:
        return [*off, "size_hw"]
    for part in ("found", "boxed"):
        same = len(found[part]["masks"]) == len(kept[part]["masks"])
        if not same or not all(
            _alike(one, other, size) for one, other in zip(found[part]["masks"], kept[part]["masks"], strict=True)
        ):
            off.append(f"{part}.masks")
        elif not _near(found[part]["scores"], kept[part]["scores"]):
            off.append(f"{part}.scores")
    return off + [f"found.{key}" for key in ("levels", "points") if found["found"][key] != kept["found"][key]]


def _near(one: Any, other: Any) -> bool:
    mine, theirs = np.array(one, np.float64), np.array(other, np.float64)
    return mine.shape == theirs.shape and bool(np.allclose(mine, theirs, rtol=0, atol=RELATIVE * np.abs(theirs).max()))


def _alike(one: str, other: str, size_hw: tuple[int, int]) -> bool:
    """IoU of at least .99, or both empty."""
    mine, theirs = (np.cumsum(rle.parse_counts(text, size_hw)) for text in (one, other))
    pixels = np.arange(size_hw[0] * size_hw[1])
    inside = [np.searchsorted(edges, pixels, side="right") % 2 == 1 for edges in (mine, theirs)]
    union = int((inside[0] | inside[1]).sum())
    return union == 0 or (inside[0] & inside[1]).sum() / union >= 0.99


def _sample(values: Tensor) -> Any:
    return np.round(values.double().numpy(), 4).tolist()


if __name__ == "__main__":
    FILE.write_text(json.dumps(measured(network())) + "\n")
    print(f"{FILE}: {FILE.stat().st_size} bytes, {len(json.loads(FILE.read_text())['found']['masks'])} masks")
