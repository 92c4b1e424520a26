"""Whose turn it is: of the threads that chiefly wait for others, one at a time runs Python, in the order they ask.

Without turns the interpreter deals out its lock every half millisecond among all of them and the event loop: work that came together
is done together, late, and comes back together. The order matters as much: with the oldest work first, all answers of a burst went
before the questions that followed on the first of them, and the burst never dissolved (80 instead of 101 questions a second at 32
callers, model 300 ms). Begun by `app.http.threads.Slots`; whoever waits for Postgres, for the model server or
for a file says so with `waiting`. Knows no work.
"""

import itertools
import threading
import time
from collections import deque

PATIENCE_S = 0.005
"""Who works longer without waiting loses its turn: to the next one, and to the interpreter's own way of sharing."""


class Turns:
    """The turns of one process."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._holder: int | None = None
        self._since = 0.0
        self._queue: deque[tuple[int, threading.Lock]] = deque()

    def begin(self) -> None:
        """Wait for this thread's turn at a new piece of work; it lasts until `end`, `waiting` and impatience aside."""
        _HERE.turns, _HERE.number = self, next(self._numbers)
        self.take(_HERE.number)

    def end(self) -> None:
        """End this thread's turn."""
        self.give(_HERE.number)
        _HERE.turns = None

    def take(self, number: int) -> None:
        """Wait until it is the turn of work `number`, or has been somebody else's for too long."""
        with self._lock:
            if self._holder is None:
                self._hold(number)
                return
            gate = threading.Lock()
            gate.acquire()
            mine = (number, gate)
            self._queue.append(mine)
        while not gate.acquire(timeout=self._patience_s):
            with self._lock:
                if self._holder == number:  # it was given just now
                    return
                if self._queue[0] is mine and time.monotonic() - self._since >= self._patience_s:
                    self._queue.popleft()
                    self._hold(number)
                    return

    def give(self, number: int) -> None:
        """Let the work that has waited longest have the turn, unless `number` has lost it already."""
        with self._lock:
            if self._holder != number:
                return
            if self._queue:
                following, gate = self._queue.popleft()
                self._hold(following)
                gate.release()
            else:
                self._holder = None

    def _hold(self, number: int) -> None:
        self._holder, self._since = number, time.monotonic()


class _Here(threading.local):
    turns: Turns | None = None
    number = 0


class _Waiting:
    def __enter__(self) -> None:
        if _HERE.turns is not None:
            _HERE.turns.give(_HERE.number)

    def __exit__(self, *_: object) -> None:
        if _HERE.turns is not None:
            _HERE.turns.take(_HERE.number)


_HERE = _Here()
_WAITING = _Waiting()


def waiting() -> _Waiting:
    """A block in which this thread only waits: others have their turn meanwhile. Nothing outside of a turn."""
    return _WAITING
