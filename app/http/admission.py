"""Who may come in now: so many requests a minute and at once per key (429), so much work at once per process (503).

Asked once per request, before the catalog is: what a key sends beyond its share costs others next to nothing. Counts are this
process's own and live on its event loop. Knows keys by their hashes only.
"""

import random
import time
from collections.abc import Callable

from app.errors import Overloaded, TooManyRequests

_FORGET_EVERY = 4_096
_BUSY_RETRY_S, _JITTER_S = 1.0, 3.0


class Admission:
    """The doorman of one API process; not for several threads."""

    def __init__(
        self, *, per_minute: int, at_once: int, capacity: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`per_minute` requests and `at_once` POSTs of one key, `capacity` POSTs of everybody; 0 is no limit.

        A key may send five seconds' share in one go, then at the even pace (a generic cell rate algorithm: one number a key).
        """
        self._interval_s = 60.0 / per_minute if per_minute else 0.0
        self._ahead_s = max(1, per_minute // 12) * self._interval_s
        self._at_once, self._capacity, self._clock = at_once, capacity, clock
        self._due: dict[bytes, float] = {}
        self._working: dict[bytes, int] = {}
        self.working = 0
        """POSTs under way."""

    def enter(self, key_sha256: bytes | None, *, works: bool) -> Callable[[], None] | None:
        """Let a request in; `works` says that it is a POST, and then the caller calls what is returned when it has ended.

        Raises TooManyRequests, Overloaded. None stands for the local caller, who has no share to exceed.
        """
        if works and self._capacity and self.working >= self._capacity:
            raise Overloaded("As many requests are under way as this process takes.", retry_after_s=_later_s())
        if key_sha256 is not None:
            if works and self._at_once and self._working.get(key_sha256, 0) >= self._at_once:
                raise TooManyRequests(f"{self._at_once} requests of this key are under way.", retry_after_s=_later_s())
            self._take(key_sha256)
        if not works:
            return None
        self.working += 1
        if key_sha256 is not None:
            self._working[key_sha256] = self._working.get(key_sha256, 0) + 1
        return lambda: self._leave(key_sha256)

    def _take(self, key: bytes) -> None:
        if not self._interval_s:
            return
        now = self._clock()
        due = max(self._due.get(key, now), now)
        wait_s = due + self._interval_s - now - self._ahead_s
        if wait_s > 1e-9:
            raise TooManyRequests("The key's requests come faster than agreed.", retry_after_s=wait_s)
        self._due[key] = due + self._interval_s
        if len(self._due) % _FORGET_EVERY == 0:
            self._due = {known: at for known, at in self._due.items() if at > now}

    def _leave(self, key: bytes | None) -> None:
        self.working -= 1
        if key is None:
            return
        left = self._working[key] - 1
        if left:
            self._working[key] = left
        else:
            del self._working[key]


def _later_s() -> float:
    """Not all at the same time."""
    return _BUSY_RETRY_S + random.uniform(0.0, _JITTER_S)
