import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grounding import calibration

SHARES = st.floats(1e-6, 1 - 1e-6)


def test_every_source_has_parameters() -> None:
    assert set(calibration.parameters()) == {"tiny", "general", "ranker"}


@given(SHARES)
def test_slope_one_and_intercept_zero_leave_a_probability_as_it_is(share: float) -> None:
    assert calibration.scaled(share, 1.0, 0.0) == pytest.approx(share)


@given(SHARES, SHARES, st.floats(0.05, 4), st.floats(-4, 4))
def test_the_order_of_probabilities_stays(one: float, other: float, slope: float, intercept: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= calibration.scaled(low, slope, intercept) <= calibration.scaled(high, slope, intercept) <= 1


def test_the_file_is_what_counts(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    file = tmp_path / "calibration.json"
    file.write_text(json.dumps({"tiny": {"slope": 2.0, "intercept": 0.0}}))
    monkeypatch.setattr(calibration, "_FILE", file)
    calibration.parameters.cache_clear()
    try:
        assert calibration.confidence(0.8, "tiny") == pytest.approx(16 / 17)
        assert calibration.confidence(1.0, "tiny") < 1.0
        assert calibration.confidence(0.0, "tiny") > 0.0
    finally:
        monkeypatch.undo()
        calibration.parameters.cache_clear()
