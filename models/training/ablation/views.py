"""Drawn pictures as a frozen vision tower sees them, with tags and without: computed once, read by every cell of the grid.

LLaVA's instruction tuning leaves the tower alone, so what it makes of a picture never changes. Of a picture's 196 patches, 56
are kept, those that show a thing before background: on one core a cell then learns what would otherwise take three times as
long, and all arms look through the same window. Knows no language model.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from models import drawings
from models.drawings import Drawing
from models.marks import paint_for_model
from models.marks.for_model import fit_square
from models.tiny.config import INPUT_PX, PATCH_PX
from models.training import forward
from models.training.ablation.talk import Facts
from models.training.patches import Labels, patch_labels

CHUNK: Final = 32
KEPT: Final = 56
FEWEST: Final = 2  # to four things: with up to eight and all patches, base data stood at chance after 470 steps
SHOWS: Final = 0.6  # a tenth of the background comes before the last of the things
STYLE: Final = "markwise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """N pictures: what is in them, and the tower's patches of each without and with tags."""

    facts: tuple[Facts, ...]
    covered: NDArray[np.bool_]  # (N, patches), where a thing or a tag is
    plain: NDArray[np.float16]  # (N, patches, width), memory-mapped
    tagged: NDArray[np.float16]  # the same pictures with the marks 1..N painted on them

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.facts)

    def whole(self, chosen: Sequence[tuple[int, bool]]) -> Tensor:
        """(B, patches, width) float32 of the pictures with these numbers, each with tags or without."""
        return torch.from_numpy(np.stack([(self.tagged if tags else self.plain)[i] for i, tags in chosen])).float()

    def take(self, chosen: Sequence[tuple[int, bool]], rng: Random) -> tuple[Tensor, list[list[int]]]:
        """(B, KEPT, width) float32 and the numbers of the patches that were kept, in order."""
        rows = []
        for i, _ in chosen:
            ranked = sorted(range(self.covered.shape[1]), key=lambda at: rng.random() - SHOWS * self.covered[i, at])
            rows.append(sorted(ranked[:KEPT]))
        return self.whole(chosen).gather(1, torch.tensor(rows)[..., None].expand(-1, -1, self.plain.shape[2])), rows


def open_views(folder: Path, model: LlavaForConditionalGeneration, first_seed: int, count: int) -> Views:
    """The views of `count` scenes from `first_seed` on; drawn and looked at now if they are not there.

    `folder` belongs to one tower: the caller names it by the weights.
    """
    home = folder / f"{first_seed}-{count}"
    if not (home / "facts.json").exists():
        _look(home, model, range(first_seed, first_seed + count))
    records = json.loads((home / "facts.json").read_text(encoding="utf-8"))
    facts = tuple(Facts(names=tuple(r["names"]), reading=tuple(r["reading"])) for r in records)
    arrays = {name: np.load(home / f"{name}.npy", "r") for name in ("covered", "plain", "tagged")}
    return Views(facts=facts, **arrays)


def painted(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Facts, Drawing]:
    """The scene of `seed` at the model's size, (S, S, 3) without and with tags, its facts, and the scene in mark order."""
    drawn = drawings.scene(seed, objects=FEWEST + seed % 3)
    order = list(range(len(drawn.regions)))
    Random(f"ablation-{seed}").shuffle(order)
    scene = Drawing(
        image=drawn.image, regions=drawn.regions.take(order), names=tuple(drawn.names[i] for i in order), kind="scene"
    )
    ids = [str(number) for number in range(1, len(order) + 1)]
    tagged = paint_for_model(scene.image, scene.regions, ids, STYLE, INPUT_PX)
    plain, scale_xy, offset_xy = fit_square(scene.image, INPUT_PX)
    corners = []
    for x0, y0, _, _ in scene.regions.boxes_xyxy_px.tolist():
        column, row = ((v * r + o) // PATCH_PX for v, r, o in zip((x0, y0), scale_xy, offset_xy, strict=True))
        corners.append((row, column))
    reading = tuple(sorted(order, key=corners.__getitem__))
    return plain, tagged, Facts(names=scene.names, reading=reading), scene


def labelled(seed: int) -> tuple[Labels, Labels]:
    """What every patch of a scene shows, without and with tags: the truth that the projector is fitted to."""
    _, tagged, facts, scene = painted(seed)
    with_tags = _labels(tagged, facts, scene)
    without = with_tags.copy()
    without[:, [0, 1, 4, 5]] = 0  # marks and their digits; kind and colour stay
    return without, with_tags


def _look(home: Path, model: LlavaForConditionalGeneration, seeds: range) -> None:
    home.mkdir(parents=True, exist_ok=True)
    vision = model.config.vision_config
    shape = (len(seeds), (vision.image_size // vision.patch_size) ** 2, vision.hidden_size)
    arrays = [open_memmap(home / f"{name}.npy", "w+", np.float16, shape) for name in ("plain", "tagged")]
    records, covered = [], []
    for start in range(0, len(seeds), CHUNK):
        drawn = [painted(seed) for seed in seeds[start : start + CHUNK]]
        both = [one[0] for one in drawn], [one[1] for one in drawn]
        for pixels, array in zip(both, arrays, strict=True):
            pictures = torch.from_numpy(np.stack(pixels)).to(model.device)
            with torch.inference_mode():
                array[start : start + len(drawn)] = forward.see(model, pictures).float().cpu().numpy()
        records += [asdict(one[2]) for one in drawn]
        covered += [_labels(*one[1:])[:, 0] > 0 for one in drawn]
    for array in arrays:
        array.flush()
    np.save(home / "covered.npy", np.stack(covered))
    (home / "facts.json").write_text(json.dumps(records), encoding="utf-8")


def _labels(tagged: NDArray[np.uint8], facts: Facts, scene: Drawing) -> Labels:
    return patch_labels(tagged, scene.regions, facts.scene.ids, facts.names, scene.regions.size_hw)
