"""The finder's network: the first layers of a small LLaVA's vision tower, and one number per patch: is this part of a mark?

The tower that ships has learnt to read marks, so minutes are enough to teach it to find them. A square's score is the mean
of its two highest patches, since a label covers one to four; a picture's is its highest square's. The only place that
reads and writes the finder's folder: `config.json` and safetensors, no pickles.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from models.errors import WeightsMissing
from models.finder.tiles import TILE_PX
from models.vlm.checkpoint import open_checkpoint

LAYERS: Final = 3
HIGHEST: Final = 2
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


class Finder(nn.Module):
    """(B, 224, 224, 3) uint8 pictures -> (B, G, G) float32 logits of their patches."""

    def __init__(self, vision: dict[str, Any], mean: Sequence[float], std: Sequence[float]) -> None:
        """Build untrained; `vision` is a CLIPVisionConfig as a dict."""
        super().__init__()
        self.settings: dict[str, Any] = {"vision": vision, "image_mean": list(mean), "image_std": list(std)}
        self.tower = CLIPVisionModel(CLIPVisionConfig(**vision))
        self.head = nn.Linear(int(vision["hidden_size"]), 1)
        self.register_buffer("mean", torch.tensor(list(mean)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(1, 3, 1, 1), persistent=False)

    @property
    def grid(self) -> int:
        """Patches along a side of a square."""
        return int(self.settings["vision"]["image_size"]) // int(self.settings["vision"]["patch_size"])

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the logit of every patch."""
        values = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        patches = self.tower(values).last_hidden_state[:, 1:]
        return self.head(patches).view(len(pixels), self.grid, self.grid)


def score_of(logits: Tensor) -> Tensor:
    """Return the score of each square, (B,), from the logits of its patches, (B, G, G)."""
    return logits.flatten(1).topk(HIGHEST, dim=1).values.mean(dim=1)


def start_from(checkpoint: Path, *, layers: int = LAYERS, seed: int = 0) -> Finder:
    """Return an untrained finder on the first layers of a LLaVA checkpoint's tower; raises WeightsMissing."""
    loaded = open_checkpoint(checkpoint)
    if loaded.input_px != TILE_PX:
        raise WeightsMissing(
            f"the finder starts from a vision tower of {TILE_PX} px; {checkpoint} has {loaded.input_px}"
        )
    vision = loaded.model.config.vision_config.to_dict() | {"num_hidden_layers": layers}
    torch.manual_seed(seed)
    finder = Finder(vision, loaded.image_mean, loaded.image_std)
    known = loaded.model.model.vision_tower.state_dict()
    finder.tower.load_state_dict({name: known[name] for name in finder.tower.state_dict()})
    return finder


def save(finder: Finder, folder: Path, about: dict[str, Any]) -> None:
    """Write a trained finder, and what it was taught beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in finder.state_dict().items()}, folder / _WEIGHTS)
    (folder / _CONFIG).write_text(json.dumps(finder.settings | {"trained": about}, indent=1) + "\n", encoding="utf-8")


def load(folder: Path) -> Finder:
    """Read a trained finder; raises WeightsMissing that says how to make one."""
    try:
        settings = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        finder = Finder(settings["vision"], settings["image_mean"], settings["image_std"])
        finder.load_state_dict(load_file(folder / _WEIGHTS))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsMissing(
            f"there is no finder in {folder} ({type(error).__name__}); `markwise evaluate finder train --out {folder}` makes one in minutes"
        ) from error
    finder.eval().requires_grad_(requires_grad=False)
    return finder


def looked_at(finder: Finder, pixels: NDArray[np.uint8], batch: int = 12) -> Iterator[NDArray[np.float32]]:
    """Yield the logits (G, G) of each square of (N, 224, 224, 3) uint8."""
    for start in range(0, len(pixels), batch):
        with torch.inference_mode():
            logits = finder(torch.from_numpy(pixels[start : start + batch]))
        yield from logits.numpy()
