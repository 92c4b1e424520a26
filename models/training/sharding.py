"""Weights spread over processes: every layer of the language half lies in pieces and is put together when it computes.

Only the layers are sharded (12.7 of LLaVA-13B's 13.4 billion weights). Tower, projector and words stay whole on every device:
a row without a picture calls neither tower nor projector, and a collective that one process enters and another does not waits
for ever, as LLaVA's users met with ZeRO-3. For the same reason all processes run equally many rows (`finetune`).
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor


def shard(model: nn.Module) -> None:
    """Spread the language layers of a LLaVA, with or without LoRA, over all processes; their gradients are averaged in float32."""
    language = language_of(model)
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    mesh = init_device_mesh(kind, (dist.get_world_size(),))
    policy = MixedPrecisionPolicy(reduce_dtype=torch.float32)
    layers: Any = language.get_submodule("layers")
    for layer in layers:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    # The root only ties the layers together, so that one is fetched while another computes.
    inside = {id(parameter) for parameter in layers.parameters()}
    whole = {parameter for parameter in language.parameters() if id(parameter) not in inside}
    fully_shard(language, mesh=mesh, mp_policy=policy, ignored_params=whole)
    model.to(kind)


def language_of(model: nn.Module) -> nn.Module:
    """The language half of a LLaVA or of an adapter around one."""
    return next(part for name, part in model.named_modules() if name.endswith("language_model"))


def is_sharded(tensor: Tensor) -> bool:
    """Whether this process holds only a piece."""
    return isinstance(tensor, DTensor)


def piece(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor: all of it if it is not sharded. Writing to it writes to the tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def gathered(model: nn.Module) -> dict[str, Tensor]:
    """All weights whole on the CPU of the first process, {} on the others; every process must call it."""
    first = dist.get_rank() == 0
    found: dict[str, Tensor] = {}
    for name, weight in model.state_dict().items():
        whole = weight.full_tensor() if isinstance(weight, DTensor) else weight
        if first:
            found[name] = whole.detach().cpu()
    return found


def most(count: int) -> int:
    """The largest of all processes' counts."""
    if not dist.is_initialized():
        return count
    largest = torch.tensor(count)
    dist.all_reduce(largest, dist.ReduceOp.MAX)
    return int(largest)
