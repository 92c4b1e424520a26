"""What a training run consists of and how it is kept: weights, their running average, optimiser, progress.

Used by `models.detector.train`, `evaluate` and `export`. Checkpoints are safetensors and JSON (`models.training.checkpoints`):
a kill leaves the last good one.
"""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.detector.net import ElementNet
from models.detector.optimizer import Muon
from models.errors import WeightsMissing
from models.training import checkpoints
from models.training.moments import moments_of, take_up

_AVERAGE = 0.998
_MUON_RATE = 10.0  # Muon's steps are relative to a filter of norm 1: 0.02 for AdamW's 0.002


class Run:
    """One training run in memory."""

    def __init__(self, *, rate: float, device: torch.device) -> None:
        """Start from random weights; `rate` is the highest learning rate."""
        self.net = ElementNet().to(device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(requires_grad=False)
        # Filters go to Muon; the pixels' own filters, the last layers and all vectors to AdamW, as its author advises.
        filters = [weight for weight in self.net.parameters() if weight.ndim > 1 and min(weight.shape[:2]) >= 32]
        others = [weight for weight in self.net.parameters() if weight.ndim <= 1 or min(weight.shape[:2]) < 32]
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "muon": Muon(filters, lr=_MUON_RATE * rate),
            "adam": torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.99), weight_decay=0.0),
        }
        self.rate = rate
        self.step = 0
        self.crops = 0
        self.seconds = 0.0

    def set_rate(self, progress: float, warm_up_steps: int = 60) -> float:
        """Set and return the rate: a short rise, then one cosine from `rate` to 0 over `progress` 0..1."""
        rate = (
            self.rate * min(1.0, (self.step + 1) / warm_up_steps) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        )
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rate * (_MUON_RATE if name == "muon" else 1.0)
        return rate

    def update(self) -> None:
        """Apply the gradients."""
        for optimizer in self.optimizers.values():
            optimizer.step()

    def follow(self) -> None:
        """Let the running average follow the weights; young runs are followed faster."""
        keep = min(_AVERAGE, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for mine, theirs in zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True):
                if mine.dtype.is_floating_point:
                    mine.lerp_(theirs, 1 - keep)
                else:
                    mine.copy_(theirs)

    def save(self, folder: Path, settings: dict[str, Any]) -> None:
        """Write the checkpoint."""
        tensors: dict[str, Tensor] = {f"net.{name}": value for name, value in self.net.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for kind, optimizer in self.optimizers.items():
            tensors |= moments_of(optimizer, kind)
        state = {"step": self.step, "crops": self.crops, "seconds": self.seconds, "rate": self.rate, **settings}
        checkpoints.write(folder, tensors, state)

    def load(self, folder: Path) -> bool:
        """Go on from the checkpoint at `folder`; False when there is none."""
        found = checkpoints.read(folder)
        if found is None:
            return False
        tensors, state = found
        self.net.load_state_dict(_named(tensors, "net."))
        self.average.load_state_dict(_named(tensors, "average."))
        for kind, optimizer in self.optimizers.items():
            take_up(optimizer, kind, tensors)
        self.step, self.crops, self.seconds = state["step"], state["crops"], state["seconds"]
        return True

    def begin_with(self, net: ElementNet) -> None:
        """Begin a new schedule with the weights of `net`; the optimisers start empty."""
        self.net.load_state_dict(net.state_dict())
        self.average.load_state_dict(net.state_dict())


def averaged_net(folder: Path) -> ElementNet:
    """Return the averaged network of a checkpoint, in evaluation mode; raises WeightsMissing."""
    found = checkpoints.read(folder)
    if found is None:
        raise WeightsMissing(f"no checkpoint in {folder}")
    net = ElementNet()
    net.load_state_dict(_named(found[0], "average."))
    net.eval()
    return net


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
