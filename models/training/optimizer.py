"""AdamW on float32 masters of bfloat16 weights, with gradients averaged over processes.

The forward and backward pass run in bfloat16 (twice as fast on a CPU with avx512_bf16); adding small updates to
bfloat16 weights would lose them, so the masters are float32. Of a sharded weight each process has and moves its own piece.
Knows parameters by name, not what they mean.
"""

from collections.abc import Callable, Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from models.training.sharding import is_sharded, piece

Named = Iterable[tuple[str, nn.Parameter]]


class MasterAdamW:
    """Owns float32 masters, moments and the copy back; `scale_of(name)` multiplies the learning rate (0 freezes)."""

    def __init__(
        self,
        parameters: Named,
        scale_of: Callable[[str], float],
        *,
        weight_decay: float = 0.05,
        clip_norm: float = 1.0,
        betas: tuple[float, float] = (0.9, 0.98),
    ) -> None:
        """Take the parameters that `scale_of` does not freeze; frozen ones get `requires_grad = False`."""
        self.live: dict[str, nn.Parameter] = {}
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        self.masters: dict[str, nn.Parameter] = {}
        for name, parameter in parameters:
            scale = scale_of(name)
            parameter.requires_grad_(scale > 0)
            if scale <= 0:
                continue
            master = nn.Parameter(piece(parameter.detach()).float().clone())
            self.live[name], self.masters[name] = parameter, master
            decay = weight_decay if parameter.ndim > 1 and "embed" not in name else 0.0
            groups.setdefault((scale, decay), []).append(master)
        self.clip_norm = clip_norm
        self.inner = torch.optim.AdamW(
            [{"params": masters, "scale": scale, "weight_decay": decay} for (scale, decay), masters in groups.items()],
            lr=1e-3, betas=betas, fused=True,
        )  # fmt: skip

    def step(self, rate: float) -> float:
        """Average gradients over ranks, clip, update and copy back; returns the gradient norm before clipping."""
        for name, parameter in self.live.items():
            grad = parameter.grad
            self.masters[name].grad = torch.zeros_like(self.masters[name]) if grad is None else piece(grad).float()
            parameter.grad = None
        if dist.is_initialized():
            self._average()
        norm = self._clip()
        for group in self.inner.param_groups:
            group["lr"] = rate * group["scale"]
        self.inner.step()
        self.copy_back()
        return norm

    def copy_back(self) -> None:
        """Write the masters into the weights the model computes with."""
        with torch.no_grad():
            for name, parameter in self.live.items():
                piece(parameter).copy_(self.masters[name])

    @property
    def sharded(self) -> set[str]:
        """Names of the weights of which this process has only a piece."""
        return {name for name, parameter in self.live.items() if is_sharded(parameter)}

    def state(self) -> dict[str, Tensor]:
        """Masters and moments as named tensors; what `load` takes."""
        tensors = {}
        for name, master in self.masters.items():
            tensors[f"master/{name}"] = master.detach()
            for key in ("exp_avg", "exp_avg_sq", "step"):
                if key in self.inner.state[master]:
                    tensors[f"{key}/{name}"] = (
                        self.inner.state[master][key].detach().reshape(-1 if key == "step" else master.shape)
                    )
        return tensors

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what `state` returned, and copy the masters into the model."""
        with torch.no_grad():
            for name, master in self.masters.items():
                master.copy_(tensors[f"master/{name}"])
                if f"exp_avg/{name}" in tensors:
                    # Files are read on the CPU; a fused step wants everything where the weights are.
                    self.inner.state[master] = {
                        "step": tensors[f"step/{name}"].reshape(()).to(master.device, copy=True),
                        "exp_avg": tensors[f"exp_avg/{name}"].to(master.device, copy=True),
                        "exp_avg_sq": tensors[f"exp_avg_sq/{name}"].to(master.device, copy=True),
                    }
        self.copy_back()

    def _average(self) -> None:
        sharded = self.sharded  # averaged as they were computed
        grads = [m.grad for name, m in self.masters.items() if m.grad is not None and name not in sharded]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def _clip(self) -> float:
        """Scale all gradients down to `clip_norm` over all processes' pieces; returns the norm before."""
        sharded = self.sharded
        if not sharded:
            return float(nn.utils.clip_grad_norm_(self.masters.values(), self.clip_norm))
        grads = {name: master.grad for name, master in self.masters.items() if master.grad is not None}
        squares = {name: grad.square().sum() for name, grad in grads.items()}
        pieces = torch.stack([square for name, square in squares.items() if name in sharded]).sum()
        dist.all_reduce(pieces)
        norm = (pieces + sum(square for name, square in squares.items() if name not in sharded)).sqrt()
        torch._foreach_mul_(list(grads.values()), torch.clamp(self.clip_norm / (norm + 1e-6), max=1.0))
        return float(norm)
