import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.calibration import fit, reliability

OUTCOMES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(OUTCOMES, st.floats(0, 1), st.floats(0, 1))
def test_a_fitted_map_keeps_order_and_range(outcomes: list[tuple[float, bool]], one: float, other: float) -> None:
    shares, right = zip(*outcomes, strict=True)
    scaling = fit(shares, right)
    low, high = sorted((one, other))
    assert 0 < scaling.of(low) <= scaling.of(high) < 1


def test_overconfident_shares_come_down_to_how_often_they_are_right() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(1.0, 2.0, 4000)
    right = rng.random(4000) < 1 / (1 + np.exp(-(0.5 * odds - 0.4)))
    shares = 1 / (1 + np.exp(-odds))
    scaling = fit(shares.tolist(), right.tolist())
    assert scaling.slope == pytest.approx(0.5, abs=0.06)
    assert scaling.intercept == pytest.approx(-0.4, abs=0.1)
    before, after = reliability(shares, right), reliability([scaling.of(share) for share in shares], right)
    assert after.ece < 0.03 < 0.1 < before.ece
    assert after.brier < before.brier
    assert after.log_loss < before.log_loss


def test_a_source_that_was_never_wrong_is_not_certain() -> None:
    assert 0.9 < fit([0.99] * 30, [True] * 30).of(0.99) < 0.999


def test_the_table_by_hand() -> None:
    found = reliability([0.05, 0.95, 0.95, 1.0], [False, True, False, True])
    assert [(one.low, one.n, one.accuracy) for one in found.bins] == [(0.0, 1, 0.0), (0.9, 3, pytest.approx(2 / 3))]
    assert found.ece == pytest.approx((0.05 + 3 * (2.9 / 3 - 2 / 3)) / 4)
    assert found.brier == pytest.approx((0.05**2 + 0.05**2 + 0.95**2) / 4)
    assert (found.n, found.accuracy) == (4, 0.5)


def test_no_outcomes_are_no_measurement() -> None:
    with pytest.raises(ValueError, match="one at least"):
        reliability([], [])
    with pytest.raises(ValueError, match="one at least"):
        fit([], [])
