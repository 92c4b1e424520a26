"""AdamW on float32 masters of bfloat16 weights, with gradients averaged over processes.

The forward and backward pass run in bfloat16 (twice as fast on a CPU with avx512_bf16); adding small updates to
bfloat16 weights would lose them, so the masters are float32. Knows parameters by name, not what they mean.
"""

from collections.abc import Callable, Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

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
            master = nn.Parameter(parameter.detach().float().clone())
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
            self.masters[name].grad = torch.zeros_like(self.masters[name]) if grad is None else grad.float()
            parameter.grad = None
        if dist.is_initialized():
            self._average()
        norm = float(nn.utils.clip_grad_norm_(self.masters.values(), self.clip_norm))
        for group in self.inner.param_groups:
            group["lr"] = rate * group["scale"]
        self.inner.step()
        self.copy_back()
        return norm

    def copy_back(self) -> None:
        """Write the masters into the weights the model computes with."""
        with torch.no_grad():
            for name, parameter in self.live.items():
                parameter.copy_(self.masters[name])

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
                    self.inner.state[master] = {
                        "step": tensors[f"step/{name}"].reshape(()).clone(),
                        "exp_avg": tensors[f"exp_avg/{name}"].clone(),
                        "exp_avg_sq": tensors[f"exp_avg_sq/{name}"].clone(),
                    }
        self.copy_back()

    def _average(self) -> None:
        grads = [master.grad for master in self.masters.values() if master.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for grad, piece in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(piece.view_as(grad))
