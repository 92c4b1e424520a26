"""Small layers that the pixel decoder and the decoder share: perceptrons, sine codes, the inverse of the sigmoid.

Module names are the published checkpoint's. Knows no prompts and no images.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Mlp(nn.Module):
    """Linear layers of the given widths with ReLU between them."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, after) for width, after in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., widths[0]) to (..., widths[-1])."""
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        out: Tensor = self.layers[-1](x)
        return out


def inverse_sigmoid(x: Tensor) -> Tensor:
    """Return log(x / (1 - x)) of x in 0-1, both sides kept at least 1e-5."""
    x = x.clamp(0, 1)
    return torch.log(x.clamp(min=1e-5) / (1 - x).clamp(min=1e-5))


def sine_of_boxes(boxes: Tensor, features: int) -> Tensor:
    """Code boxes (..., 4) of x, y, w, h in 0-1 as (..., 4 * features): y first, then x, w and h; sines on even places."""
    places = boxes[..., [1, 0, 2, 3]].float() * (2 * math.pi)
    angles = places[..., None] / _wavelengths(features, boxes.device)
    return torch.stack([angles[..., 0::2].sin(), angles[..., 1::2].cos()], dim=-1).flatten(-3)


def sine_of_map(size_hw: tuple[int, int], features: int, device: torch.device) -> Tensor:
    """Code the pixels of a map, row by row, as (H * W, 2 * features) float32: y first, then x.

    Places count from 1 and are divided by the map's side, as in DETR (Carion et al. 2020, appendix A.4).
    """
    codes = []
    for side in size_hw:
        places = torch.arange(1, side + 1, dtype=torch.float32, device=device) / (side + 1e-6) * (2 * math.pi)
        angles = places[:, None] / _wavelengths(features, device)
        codes.append(torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1))
    (high, wide), (rows, columns) = size_hw, codes
    whole = [rows[:, None].expand(high, wide, features), columns[None].expand(high, wide, features)]
    return torch.cat(whole, dim=-1).flatten(0, 1)


def _wavelengths(features: int, device: torch.device) -> Tensor:
    steps = torch.arange(features, dtype=torch.float32, device=device)
    return 10000.0 ** (2 * torch.div(steps, 2, rounding_mode="floor") / features)
