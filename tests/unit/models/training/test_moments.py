"""An optimizer goes on from its checkpoint as if it had never stopped."""

import torch
from torch import nn

from models.training.moments import moments_of, take_up


def stepped(weight: nn.Parameter, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    weight.grad = torch.full_like(weight, 0.5) + weight.detach()
    optimizer.step()
    return weight.detach().clone()


def test_the_next_step_is_the_same() -> None:
    weight = nn.Parameter(torch.arange(3.0))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    reached = [stepped(weight, optimizer) for _ in range(2)][-1]
    kept = {name: value.clone() for name, value in moments_of(optimizer, "adam").items()}
    assert set(kept) == {"adam.0.exp_avg", "adam.0.exp_avg_sq", "adam.0.step"}
    other = nn.Parameter(reached)
    resumed = torch.optim.AdamW([other], lr=0.1)
    take_up(resumed, "adam", kept | {"adamant.0.step": torch.tensor(9.0)})
    assert torch.equal(stepped(other, resumed), stepped(weight, optimizer))
