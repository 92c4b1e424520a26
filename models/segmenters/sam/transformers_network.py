"""A promptable mask model of transformers (SAM 2, SAM-HQ) behind the interface that everything-mode and prompting use.

A model's own small file says which class it is, how its pictures are shaped and what its embedding consists of. Reads a
folder as `save_pretrained` writes it and nothing from the network.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.errors import WeightsMissing
from models.segmenters.installed import Installed
from models.segmenters.sam.network import Embedding, input_size
from models.segmenters.sam.prompts import BOX_FIRST, PADDING

_MEAN_RGB, _STD_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What differs between the models.

    `embed` maps (model, pixels) to tensors with the batch first, `arguments` maps one picture's tensors back to keyword
    arguments of the model. `keeps_shape`: the longer side fills the input, the rest is padding; else both sides are
    stretched.
    """

    model: str
    embed: Callable[[Any, Tensor], Sequence[Tensor]]
    arguments: Callable[[Sequence[Tensor]], dict[str, Any]]
    keeps_shape: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """B prompts: scores (B, 4) and logits (B, 4, h, w); outputs that were not asked for have a score of -inf."""

    scores: Tensor
    logits: Tensor

    def take(self, index: Tensor) -> "Outcome":
        """Only the prompts at `index`."""
        return Outcome(scores=self.scores[index], logits=self.logits[index])


class TransformersNetwork:
    """One loaded model."""

    def __init__(self, model: Any, kind: Kind, mean_rgb: Sequence[float], std_rgb: Sequence[float]) -> None:
        self.model, self.kind = model, kind
        self.image_px = int(model.config.prompt_encoder_config.image_size)
        self.low_px = 4 * self.image_px // int(model.config.prompt_encoder_config.patch_size)
        self.mean, self.std = (torch.tensor(value, device=model.device).view(3, 1, 1) for value in (mean_rgb, std_rgb))

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        where: torch.device = self.model.device
        return where

    def encode(self, images: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode pictures ((H, W, 3) uint8 RGB, sizes may differ) in one forward pass."""
        side = self.image_px
        batch = torch.zeros(len(images), 3, side, side, device=self.device)
        sizes = []
        for at, image in enumerate(images):
            shape = (image.shape[0], image.shape[1])
            high, wide = input_size(shape, side) if self.kind.keeps_shape else (side, side)
            scaled = np.array(Image.fromarray(image).resize((wide, high), Image.Resampling.BILINEAR))
            pixels = torch.from_numpy(scaled).to(self.device).permute(2, 0, 1) / 255
            batch[at, :, :high, :wide] = (pixels - self.mean) / self.std
            sizes.append((shape, (high, wide)))
        with torch.no_grad():
            features = self.kind.embed(self.model, batch.to(self.model.dtype))
        return [
            Embedding(features=tuple(item[at] for item in features), size_hw=size_hw, input_hw=input_hw)
            for at, (size_hw, input_hw) in enumerate(sizes)
        ]

    def prompted(self, embedding: Embedding) -> "Prompted":
        """Prepare an encoded picture for prompts."""
        return Prompted(network=self, embedding=embedding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """An encoded picture that takes prompts."""

    network: TransformersNetwork
    embedding: Embedding

    def decode(self, points_xy_px: NDArray[np.float64], labels: NDArray[np.int64]) -> Outcome:
        """Run prompts of N points each; boxes get one mask (output 0), points three (1 to 3)."""
        network = self.network
        (high, wide), (old_high, old_wide) = self.embedding.input_hw, self.embedding.size_hw
        scaled = torch.from_numpy(points_xy_px * np.array([wide / old_wide, high / old_high])).float()
        points, meaning = scaled.to(network.device), torch.from_numpy(labels).to(network.device)
        boxes = labels[0, 0] == BOX_FIRST
        if boxes:
            prompt = {"input_boxes": points.flatten(1)[None]}
        else:
            shown = int((labels[0] != PADDING).sum())  # the model pads by itself
            prompt = {"input_points": points[None, :, :shown], "input_labels": meaning[None, :, :shown]}
        kept = network.kind.arguments([item[None] for item in self.embedding.features])
        with torch.no_grad():
            found = network.model(**kept, **prompt, multimask_output=not boxes)
        scores, logits = found.iou_scores[0].float(), found.pred_masks[0].float()
        all_scores = scores.new_full((len(scores), 4), -torch.inf)
        all_logits = logits.new_zeros(len(logits), 4, *logits.shape[2:])
        where = slice(0, 1) if boxes else slice(1, 4)
        all_scores[:, where], all_logits[:, where] = scores, logits
        return Outcome(scores=all_scores, logits=all_logits)

    def masks(self, decoded: Outcome, outputs: tuple[int, ...]) -> Tensor:
        """Return logits (B, len(outputs), h, w) float32."""
        return decoded.logits[:, list(outputs)]


def loaded(name: str, installed: Installed, kind: Kind) -> TransformersNetwork:
    """Load the model from the folder that the setting of segmenter `name` says; raises WeightsMissing."""
    model = model_in(name, installed, kind.model)
    mean, std = _MEAN_RGB, _STD_RGB
    preprocessing = Path(installed.weights[name]) / "preprocessor_config.json"
    if preprocessing.is_file():
        read = json.loads(preprocessing.read_text(encoding="utf-8"))
        mean, std = read.get("image_mean", mean), read.get("image_std", std)
    return TransformersNetwork(model, kind, mean, std)


def model_in(name: str, installed: Installed, model_class: str) -> Any:
    """Return a frozen model of transformers from the folder that a setting names; raises WeightsMissing."""
    setting = installed.setting(name)
    folder = Path(installed.weights.get(name) or "").expanduser()
    if not installed.weights.get(name) or not (folder / "config.json").is_file():
        raise WeightsMissing(
            f"set {setting} to a folder with a {model_class} checkpoint (config.json, model.safetensors), as "
            "`hf download` or save_pretrained leave it",
            setting=setting,
        )
    import transformers

    cuda = torch.cuda.is_available()
    try:
        model = getattr(transformers, model_class).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.bfloat16 if cuda else torch.float32
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsMissing(f"{folder} holds no {model_class} that loads", setting=setting) from error
    model = model.to("cuda" if cuda else "cpu").eval().requires_grad_(requires_grad=False)
    if installed.compiled:
        model.forward = torch.compile(model.forward)
    return model
