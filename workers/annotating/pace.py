"""How fast a teacher is asked: fewer questions at once when it pushes back, one more at a time when it answers.

Shared by the threads of one job in one worker. Halved at a push-back (429, 503, timeouts, no connection), at most once a
second, and raised by one for every round of answers, as TCP does. Knows no HTTP.
"""

import random
import threading
import time
from collections.abc import Callable

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 20.0
_LOOK_S = 0.25
_HALVE_EVERY_S = 1.0


class Stopped(Exception):
    """The job ends; what was not asked yet is not asked any more."""


class Pace:
    """Lets questions through. `failed` and `answered` end what `enter` began."""

    def __init__(self, slots: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.stop = threading.Event()
        self._slots, self._limit = slots, float(slots)
        self._clock = clock
        self._asking = self._failures = 0
        self._open_at = self._halved_at = 0.0
        self._heard_at = clock()
        self._turn = threading.Condition()

    @property
    def limit(self) -> int:
        """How many questions may be under way now."""
        return max(1, int(self._limit))

    def enter(self) -> None:
        """Wait until one more question may be asked; raises Stopped."""
        with self._turn:
            while True:
                if self.stop.is_set():
                    raise Stopped
                wait_s = self._open_at - self._clock()
                if wait_s <= 0 and self._asking < self.limit:
                    self._asking += 1
                    return
                self._turn.wait(min(_LOOK_S, wait_s) if wait_s > 0 else _LOOK_S)

    def answered(self) -> None:
        """The teacher answered, well or badly."""
        with self._turn:
            self._asking -= 1
            self._failures = 0
            self._heard_at = self._clock()
            self._limit = min(float(self._slots), self._limit + 1 / self._limit)
            # For the place that was left, and for the one that may have come; to wake all who wait for every answer costs.
            self._turn.notify(2)

    def failed(self, retry_after_s: float | None) -> None:
        """The teacher pushed back or is away: ask less, and nothing before it said, with full jitter on top."""
        with self._turn:
            self._asking -= 1
            now = self._clock()
            if now - self._halved_at >= _HALVE_EVERY_S:
                self._halved_at = now
                self._limit = max(1.0, self._limit / 2)
                self._failures += 1
            longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
            pause_s = (retry_after_s or 0.0) + random.uniform(0.0, longest_s)
            self._open_at = max(self._open_at, now + pause_s) if retry_after_s else now + pause_s
            self._turn.notify_all()

    def left(self) -> None:
        """A question ended without telling anything about the teacher."""
        with self._turn:
            self._asking -= 1
            self._turn.notify()

    def silent_s(self) -> float:
        """How long ago the teacher last answered anybody here, or since when it is asked."""
        return self._clock() - self._heard_at
