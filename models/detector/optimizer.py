"""Muon for the convolutions, AdamW for the rest, behind one small interface.

Used by `models.detector.state`. Muon (Jordan 2024, "Muon: an optimizer for hidden layers") makes the momentum of a weight
matrix orthogonal by five Newton-Schulz steps before it is applied, so that all directions learn at the same pace.
"""

import torch
from torch import Tensor, nn

# Coefficients of the quintic iteration, from the same text: fast rather than exact, singular values end in about 0.7 .. 1.2.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


class Muon(torch.optim.Optimizer):
    """Steps along the orthogonalised Nesterov momentum; weights of any shape are taken as (outputs, everything else)."""

    def __init__(self, weights: list[nn.Parameter], *, lr: float, momentum: float = 0.95, decay: float = 0.02) -> None:
        """`lr` is the size of a step relative to the weights' own natural size."""
        super().__init__(weights, {"lr": lr, "momentum": momentum, "decay": decay})

    def step(self, closure: None = None) -> None:
        """Apply one step."""
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    if weight.grad is not None:
                        self._apply(weight, group)

    def _apply(self, weight: Tensor, group: dict[str, float]) -> None:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
        ahead = weight.grad.lerp(state["momentum"], group["momentum"])
        flat = ahead.reshape(len(weight), -1)
        update = orthogonal(flat).view_as(ahead) * max(1.0, flat.shape[0] / flat.shape[1]) ** 0.5
        weight.mul_(1 - group["lr"] * group["decay"]).add_(update.to(weight.dtype), alpha=-group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """Return the nearest matrix (N, M) with about equal singular values."""
    a, b, c = _QUINTIC
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
