"""A circuit breaker: after several failures in a row a server is left alone for a while, then tried by one call.

closed (calls pass) -> open (calls are refused) -> half open (one call tries) -> closed or open again. Called by `transport`; it
knows no HTTP and judges no error: the caller says what was a failure.
"""

import threading
import time
from collections.abc import Callable
from typing import Literal

BreakerState = Literal["closed", "open", "half_open"]


class CircuitBreaker:
    """Counts failures in a row. Safe to share between threads; `clock` gives monotonic seconds."""

    def __init__(self, *, failures: int = 5, open_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`failures` in a row open it for `open_s` seconds."""
        self._failures, self._open_s, self._clock = failures, open_s, clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._open_until: float | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """What a call would meet now."""
        with self._lock:
            if self._open_until is None:
                return "closed"
            return "open" if self._clock() < self._open_until else "half_open"

    def admit(self) -> float | None:
        """Return None if a call may pass, else the seconds after which asking again makes sense.

        Whoever is admitted must end with exactly one of `succeeded`, `failed` and `abandoned`.
        """
        with self._lock:
            if self._open_until is None:
                return None
            left = self._open_until - self._clock()
            if left > 0:
                return left
            if self._trying:
                return self._open_s
            self._trying = True
            return None

    def succeeded(self) -> None:
        """The server answered: close, and forget the failures."""
        with self._lock:
            self._in_a_row, self._open_until, self._trying = 0, None, False

    def failed(self) -> None:
        """The server did not answer, or not in a usable form."""
        with self._lock:
            self._in_a_row += 1
            # While it is open, calls that were admitted before still end; they must not prolong it.
            if self._trying or (self._open_until is None and self._in_a_row >= self._failures):
                self._open_until = self._clock() + self._open_s
            self._trying = False

    def abandoned(self) -> None:
        """The call ended for a reason that says nothing about the server, such as a caller that went away."""
        with self._lock:
            self._trying = False
