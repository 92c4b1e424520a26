"""What an optimizer remembers of its parameters, as named tensors for a checkpoint, and back.

For optimizers of torch's own kind; `models.training.optimizer` keeps its masters too. Used by the detector and the finder.
"""

import torch
from torch import Tensor


def moments_of(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """Return its state as `PREFIX.PARAMETER.NAME`, parameters by their numbers; what `take_up` takes."""
    return {
        f"{prefix}.{index}.{name}": torch.as_tensor(value)
        for index, held in optimizer.state_dict()["state"].items()
        for name, value in held.items()
    }


def take_up(optimizer: torch.optim.Optimizer, prefix: str, tensors: dict[str, Tensor]) -> None:
    """Let it go on with what `moments_of` returned; `tensors` may hold others. Its rates and groups stay as they are."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"{prefix}."):
            index, _, name = key.removeprefix(f"{prefix}.").partition(".")
            state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
