"""The rate rises, holds and always ends low, by steps and by seconds."""

import pytest

from models.training.schedule import Budget, learning_rate


def rates(budget, steps):
    found = []
    for _ in range(steps):
        found.append(learning_rate(budget, peak=1.0, floor=0.1, hold_until=0.5, warmup_steps=4))
        budget.step += 1
    return found


def test_the_rate_warms_up_holds_and_decays():
    found = rates(Budget(steps=20), 20)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert found[4:11] == [1.0] * 7
    assert found[11:] == sorted(found[11:], reverse=True)
    assert found[-1] == pytest.approx(0.19)


def test_seconds_decide_when_the_budget_is_in_seconds():
    budget = Budget(seconds=100.0, step=1000, used_s=75.0)
    assert budget.fraction == 0.75
    assert learning_rate(budget, peak=1.0, floor=0.0, hold_until=0.5) == pytest.approx(0.5)


def test_an_overdrawn_budget_stays_at_the_floor():
    assert learning_rate(Budget(seconds=1.0, step=500, used_s=9.0), peak=2.0, floor=0.05) == pytest.approx(0.1)


def test_ticks_count_steps_and_time():
    budget = Budget(seconds=100.0, clock="cpu")
    budget.start()
    sum(range(200_000))
    budget.tick()
    assert budget.step == 1
    assert 0 < budget.used_s < 5


@pytest.mark.parametrize("bounds", [{}, {"steps": 3, "seconds": 3.0}])
def test_a_budget_has_exactly_one_bound(bounds):
    with pytest.raises(ValueError, match="steps or seconds"):
        Budget(**bounds)
