"""A worker that takes nothing although hints wait is ended; any other is left alone."""

import os
import signal

import pytest

from app.queue.broker import HintsDown
from workers import watchdog
from workers.watchdog import Watchdog


class FakeBroker:
    def __init__(self, waiting: int) -> None:
        self.hints = waiting

    def waiting(self, queue: str) -> int:
        if self.hints < 0:
            raise HintsDown
        return self.hints


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(watchdog.os, "kill", lambda pid, number: calls.append((pid, number)))
    return calls


@pytest.mark.parametrize(
    ("hints", "activity", "ended"),
    [
        (3, [0, 0, 0], True),
        (0, [0, 0, 0], False),  # nothing to do
        (3, [1, 1, 1], False),  # one long job
        (3, [0, 2, 4], False),  # busy between the looks
        (-1, [0, 0, 0], False),  # Redis is away
    ],
)
def test_only_an_idle_worker_beside_waiting_hints_is_ended(
    killed, hints: int, activity: list[int], ended: bool
) -> None:
    seen = iter(activity)
    dog = Watchdog(FakeBroker(hints), ("batch",), activity=lambda: next(seen), limit_s=-1.0)
    for _ in activity:
        dog.look()
    assert killed[:1] == ([(os.getppid(), signal.SIGKILL)] if ended else [])
