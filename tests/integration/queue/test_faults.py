"""Forged messages and a kill at every step, at short; `tests.chaos` takes both at length."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.chaos.every_step import killed
from tests.chaos.forged_hints import attack
from tests.chaos.yard import QUICK, opened


@pytest.mark.slow
def test_forged_messages_do_nothing_and_end_nobody(database: Settings, tmp_path: Path) -> None:
    with opened(database.model_copy(update=QUICK), tmp_path / "processes.log") as place:
        strange, undone, ended, _ = attack(place, tmp_path / "marker", 150, workers=1)
        assert not ended, place.processes.log.read_text()[-3000:]
    assert (strange, undone) == (0, 0)
    assert not (tmp_path / "marker").exists()


@pytest.mark.slow
def test_killed_at_any_step_an_order_ends_in_the_same_state(database: Settings, tmp_path: Path) -> None:
    count, tried = killed(database, tmp_path, every=20)
    assert count >= 25
    assert {name: wrong for name, wrong in tried.items() if wrong} == {}
