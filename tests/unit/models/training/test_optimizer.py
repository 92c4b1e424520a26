"""Masters keep what bfloat16 would lose, and state goes back exactly."""

import torch
from torch import nn

from models.training.optimizer import MasterAdamW


def layer():
    torch.manual_seed(0)
    return nn.Linear(4, 4).to(torch.bfloat16)


def step(model, optimizer, rate=1e-3, seed=0):
    model(torch.randn(8, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float32).bfloat16()).pow(
        2
    ).sum().backward()
    return optimizer.step(rate)


def test_updates_below_bfloat16_precision_add_up():
    model = layer()
    optimizer = MasterAdamW(model.named_parameters(), lambda _name: 1.0, weight_decay=0.0)
    before = model.weight.detach().float().clone()
    step(model, optimizer, rate=1e-6)
    assert torch.equal(model.weight.detach().float(), before)
    assert not torch.equal(optimizer.masters["weight"].detach(), before)
    for _ in range(30):
        step(model, optimizer, rate=1e-3)
    assert not torch.equal(model.weight.detach().float(), before)


def test_a_zero_scale_freezes():
    model = layer()
    optimizer = MasterAdamW(model.named_parameters(), lambda name: 0.0 if name == "bias" else 1.0)
    before = model.bias.detach().clone()
    step(model, optimizer, rate=0.1)
    assert torch.equal(model.bias.detach(), before)
    assert not model.bias.requires_grad


def test_the_rate_is_scaled_per_weight():
    slow, fast = layer(), layer()
    step(slow, (one := MasterAdamW(slow.named_parameters(), lambda name: 0.1, weight_decay=0.0)))
    step(fast, (two := MasterAdamW(fast.named_parameters(), lambda _name: 1.0, weight_decay=0.0)))
    start = layer().weight.detach().float()
    moved = [(o.masters["weight"].detach() - start).abs().mean() for o in (one, two)]
    assert 5 < moved[1] / moved[0] < 15


def test_state_goes_back_exactly():
    model, other = layer(), layer()
    optimizer = MasterAdamW(model.named_parameters(), lambda name: 1.0)
    step(model, optimizer)
    resumed = MasterAdamW(other.named_parameters(), lambda name: 1.0)
    resumed.load({name: tensor.clone() for name, tensor in optimizer.state().items()})
    step(model, optimizer, seed=1)
    step(other, resumed, seed=1)
    assert torch.equal(model.weight, other.weight)
    assert all(torch.equal(optimizer.state()[name], tensor) for name, tensor in resumed.state().items())


def test_state_goes_back_to_where_the_weights_are():
    model = layer()
    optimizer = MasterAdamW(model.named_parameters(), lambda name: 1.0)
    step(model, optimizer)
    elsewhere = MasterAdamW(layer().to("meta").named_parameters(), lambda name: 1.0)
    elsewhere.load(optimizer.state())  # files are read on the CPU
    for state in elsewhere.inner.state.values():
        assert {tensor.device.type for tensor in state.values()} == {"meta"}


def test_gradients_are_clipped():
    model = layer()
    optimizer = MasterAdamW(model.named_parameters(), lambda name: 1.0, clip_norm=1e-3)
    assert step(model, optimizer) > 1e-3
    total = sum(float(master.grad.pow(2).sum()) for master in optimizer.masters.values()) ** 0.5
    assert total <= 1.001e-3
