import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.grounding import calibration, ground
from models.grounding.calibration import Calibration, Scaling, source_of
from tests.unit.models.grounding.scripted import MENU, PLAIN, Scripted, asked

SHARES = st.floats(0, 1)
SCALINGS = st.builds(lambda a, b: Scaling(slope=a, intercept=b), st.floats(0, 50), st.floats(-900, 900))
HALVED = Scaling(slope=0.5, intercept=-1.0)


@given(SHARES, SHARES, SCALINGS)
def test_the_order_of_shares_stays_and_nothing_leaves_the_range(one: float, other: float, scaling: Scaling) -> None:
    low, high = sorted((one, other))
    assert 0 <= scaling.of(low) <= scaling.of(high) <= 1


@given(st.floats(calibration.EDGE, 1 - calibration.EDGE))
def test_slope_one_and_intercept_zero_leave_a_share_as_it_is(share: float) -> None:
    assert Scaling(slope=1.0, intercept=0.0).of(share) == pytest.approx(share)


@pytest.mark.parametrize(("slope", "intercept"), [(-0.1, 0.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_a_map_that_turns_the_order_round_is_refused(slope: float, intercept: float) -> None:
    with pytest.raises(ValueError, match="growing"):
        calibration.read(json.dumps({"weights": "7", "maps": {"act/text": {"slope": slope, "intercept": intercept}}}))


@given(st.dictionaries(st.sampled_from(["act/text", "refer/table", "none/pixels"]), SCALINGS), SHARES)
def test_what_is_written_is_read_back(maps: dict[str, Scaling], share: float) -> None:
    body = {name: {"slope": scaling.slope, "intercept": scaling.intercept} for name, scaling in maps.items()}
    known = calibration.read(json.dumps({"weights": "7", "maps": body}))
    for source in ("act/text", "refer/table", "none/pixels"):
        expected = maps[source].of(share) if source in maps else share
        assert known.confidence(share, source, weights="7") == expected


def test_shares_of_other_weights_stay_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    calibration._tell_once.cache_clear()
    known = Calibration(weights="7", maps={"refer/pixels": HALVED, "refer/text": HALVED})
    with caplog.at_level(logging.WARNING):
        assert [known.confidence(0.9, "refer/pixels", weights="8") for _ in range(3)] == [0.9] * 3
    assert len(caplog.records) == 1
    assert "fitted for the weights 7, these are 8" in caplog.text
    assert "markwise evaluate calibration" in caplog.text
    assert known.confidence(0.9, "refer/pixels", weights="7") == HALVED.of(0.9)
    # The ranker is the same beside any model.
    assert known.confidence(0.9, "refer/text", weights="8") == HALVED.of(0.9)


def test_a_remote_models_shares_stay_and_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    calibration._tell_once.cache_clear()
    known = Calibration(weights="7", maps={"refer/pixels": HALVED})
    assert known.confidence(0.9, "refer/pixels", weights="") == 0.9
    assert not caplog.records


def test_a_source_without_a_map_takes_that_of_its_decider() -> None:
    known = Calibration(weights="7", maps={"any/position": HALVED})
    assert known.confidence(0.9, "act/position", weights="7") == HALVED.of(0.9)
    assert known.confidence(0.9, "act/text", weights="7") == 0.9
    assert Calibration(weights="7", maps={"any/pixels": HALVED}).confidence(0.9, "none/pixels", weights="7") == 0.9


def test_sources() -> None:
    assert source_of("phrases", "model", table=False) == "refer/pixels"
    assert source_of("act", "model", table=True) == "act/table"
    assert source_of("act", "position", table=True) == "act/position"
    assert source_of("ask", "model", table=False, none=True) == "none/pixels"


def test_an_answer_carries_calibrated_confidences(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = dict.fromkeys(("refer/pixels", "none/pixels", "act/text", "classify/pixels"), HALVED)
    monkeypatch.setattr(calibration, "fitted", lambda: Calibration(weights="7", maps=maps))
    found = ground(Scripted(favourites=["2"]), asked(PLAIN, "the cup", "refer"))
    assert [chosen.confidence for chosen in found.selected] == [HALVED.of(0.8)]
    assert found.none_confidence is None
    nothing = ground(Scripted(), asked(PLAIN, "the cup", "refer"))
    assert nothing.none_of_these
    assert nothing.none_confidence == HALVED.of(0.8)
    clear = ground(Scripted(), asked(MENU, "Click Save", "act"))
    assert [chosen.confidence for chosen in clear.selected] == [HALVED.of(1.0)]
    labels = ground(Scripted(favourites=["dog"]), asked(PLAIN, "", "classify", choices=("cat", "dog"))).labels
    assert [label.confidence for label in labels] == [HALVED.of(0.8)] * 3
    bare = ground(Scripted(favourites=["2"]), asked(PLAIN, "the cup", "refer", calibrated=False))
    assert [chosen.confidence for chosen in bare.selected] == [0.8]


def test_the_shipped_file_is_read() -> None:
    assert calibration.fitted().maps.keys() <= {
        f"{task}/{who}"
        for task in ("refer", "act", "ask", "classify", "none", "any")
        for who in ("text", "position", "accessibility", "table", "pixels")
    }
