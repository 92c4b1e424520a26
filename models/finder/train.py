"""Teaches the finder on pictures drawn as they are needed, half of them tagged; the same seed gives the same finder.

Every patch is told whether a label covers it, which takes minutes where a word per picture would take hours; the
square's own score is descended beside it. Minutes on one core; a training that is stopped goes on with the next step.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models import drawings
from models.finder.examples import Example, example
from models.finder.net import Finder, score_of, start_from
from models.finder.tiles import TILE_PX, Tiles, cut
from models.training import checkpoints
from models.training.moments import moments_of, take_up

STEPS: Final = 150
BATCH: Final = 16
SQUARES: Final = 4  # of each picture: drawing one costs as much as learning from two of its squares
RATE: Final = 4e-4
HEAD_RATE: Final = 3e-3
COVERED: Final = 0.35
"""A patch belongs to a mark when a label covers this share of it; with less, but not nothing, it is neither."""
LABEL_WEIGHT: Final = 4.0  # a label covers a hundredth of a square

KEPT_EVERY: Final = 25  # steps; a quarter of a minute is what a killed training loses

Told = Callable[[int, float], None]


class Stopped(Exception):
    """The training was asked to stop; what it has learnt is kept where it was told to."""


def train(
    start: Path,
    *,
    steps: int = STEPS,
    seed: int = 0,
    told: Told = lambda _step, _loss: None,
    kept: Path | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Finder:
    """Return a finder taught from the vision tower of `start`; `told` hears each step and its loss. Raises WeightsMissing.

    With a folder in `kept` the training goes on from what an earlier one kept there, and ends as it would have. Raises Stopped
    once `stopped` says so.
    """
    finder = start_from(start, seed=seed)
    optimizer = _optimizer(finder)
    rng = Random(f"finder-batches-{seed}")
    done = 0 if kept is None else _resumed(kept, finder, optimizer, rng)
    finder.train()
    for step in range(done + 1, steps + 1):
        pixels, wanted = batch(rng, finder.grid)
        share = min(1.0, step / 20) * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * share
        loss = loss_of(finder(torch.from_numpy(pixels)), torch.from_numpy(wanted))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(finder.parameters(), 1.0)
        optimizer.step()
        told(step, float(loss.detach()))
        ends = stopped()
        if kept is not None and (ends or step % KEPT_EVERY == 0):
            _keep(kept, finder, optimizer, rng, step)
        if ends:
            raise Stopped
    finder.eval().requires_grad_(requires_grad=False)
    return finder


def _optimizer(finder: Finder) -> torch.optim.Optimizer:
    tower, head = list(finder.tower.parameters()), list(finder.head.parameters())
    return torch.optim.AdamW([{"params": tower, "rate": RATE}, {"params": head, "rate": HEAD_RATE}], weight_decay=0.02)


def _keep(folder: Path, finder: Finder, optimizer: torch.optim.Optimizer, rng: Random, step: int) -> None:
    weights = {f"finder.{name}": value for name, value in finder.state_dict().items()}
    state = {"step": step, "random": rng.getstate()}
    checkpoints.write(folder, weights | moments_of(optimizer, "optimizer"), state)


def _resumed(folder: Path, finder: Finder, optimizer: torch.optim.Optimizer, rng: Random) -> int:
    """Take up what was kept, if anything was; returns how many steps are done."""
    found = checkpoints.read(folder)
    if found is None:
        return 0
    tensors, told = found
    finder.load_state_dict({name: tensors[f"finder.{name}"] for name in finder.state_dict()})
    take_up(optimizer, "optimizer", tensors)
    version, words, gauss = told["random"]
    rng.setstate((version, tuple(words), gauss))
    return int(told["step"])


def loss_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean loss of the patches, and of the squares' scores; `wanted` (B, G, G) is 1, 0, or -1 for neither."""
    known = (wanted >= 0).float()
    weight = known * (1 + (LABEL_WEIGHT - 1) * (wanted > 0).float())
    patches = functional.binary_cross_entropy_with_logits(logits, wanted.clamp(min=0), weight, reduction="sum")
    # A square with nothing but a sliver of a label is neither.
    sure = (wanted.flatten(1).amax(dim=1) > 0) | (wanted.flatten(1).amin(dim=1) == 0)
    squares = functional.binary_cross_entropy_with_logits(
        score_of(logits), (wanted.flatten(1).amax(dim=1) > 0).float(), sure.float(), reduction="sum"
    )
    return patches / weight.sum().clamp(min=1) + 0.3 * squares / sure.float().sum().clamp(min=1)


def batch(rng: Random, grid: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return (B, 224, 224, 3) squares and (B, G, G) targets, of as many tagged as untagged pictures."""
    squares = [
        square
        for k in range(BATCH // SQUARES)
        for square in _some(example(rng.choice(drawings.TRAIN_SEEDS), tagged=k % 2 == 0), grid, rng)
    ]
    return np.stack([pixels for pixels, _ in squares]), np.stack([wanted for _, wanted in squares])


def _some(drawn: Example, grid: int, rng: Random) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Yield some squares of a picture, of a tagged one the first two with a label in them."""
    tiles = cut(drawn.image)
    wanted = [target(drawn, tiles, i, grid) for i in range(len(tiles.pixels))]
    everywhere = range(len(wanted))
    shown = [i for i in everywhere if (wanted[i] > 0).any()] or everywhere
    for k in range(SQUARES):
        chosen = rng.choice(shown if k < 2 else everywhere)
        yield tiles.pixels[chosen], wanted[chosen]


def target(drawn: Example, tiles: Tiles, index: int, grid: int) -> NDArray[np.float32]:
    """Return (G, G) float32: 1 where a label covers a patch, -1 where it touches it, 0 elsewhere."""
    left, top = tiles.corners_xy_px[index]
    ends = np.linspace(0, TILE_PX, grid + 1)
    covered = np.zeros((grid, grid), np.float64)
    for x0, y0, x1, y1 in drawn.labels_xyxy_px:
        wide = _overlaps(ends, x0 * tiles.scale - left, x1 * tiles.scale - left)
        high = _overlaps(ends, y0 * tiles.scale - top, y1 * tiles.scale - top)
        covered = np.maximum(covered, high[:, None] * wide[None, :] * (grid / TILE_PX) ** 2)
    return np.where(covered >= COVERED, 1, np.where(covered > 0, -1, 0)).astype(np.float32)


def _overlaps(ends: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Return how many pixels of each patch along an axis lie between two places."""
    shared: NDArray[np.float64] = np.minimum(ends[1:], high) - np.maximum(ends[:-1], low)
    return shared.clip(min=0)
