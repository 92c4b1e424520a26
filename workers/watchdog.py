"""Ends a worker whose consumer has stopped: hints wait, the process is idle, and nothing is taken.

Celery has lost its consumer after a Redis reconnect more than once (celery#8030, #9054, #10205). Such a worker looks
alive; only its idleness beside a waiting queue shows. Asked by the presence thread of each pool child.
"""

import logging
import os
import signal
import time
from collections.abc import Callable

from app.queue.broker import HintBroker, HintsDown

_log = logging.getLogger(__name__)
# With the look every 5 s and the new start, hints are taken again within a minute of Redis' return.
WEDGED_AFTER_S = 40.0


class Watchdog:
    """Judges at every `look`; after `limit_s` of uninterrupted suspicion it kills the worker, and with it this child."""

    def __init__(
        self,
        broker: HintBroker,
        queues: tuple[str, ...],
        *,
        activity: Callable[[], int],
        limit_s: float = WEDGED_AFTER_S,
    ) -> None:
        self._broker, self._queues, self._activity, self._limit_s = broker, queues, activity, limit_s
        self._suspicious_since: float | None = None
        self._activity_then = 0

    def look(self) -> None:
        """Look once. `activity` counts hints begun and hints ended: an odd number means that this child works."""
        activity = self._activity()
        if activity % 2 == 1 or activity != self._activity_then or not self._hints_wait():
            self._suspicious_since, self._activity_then = None, activity
            return
        now = time.monotonic()
        if self._suspicious_since is None:
            self._suspicious_since = now
        elif now - self._suspicious_since > self._limit_s:
            _log.error("hints wait and this worker takes none: ending it, so that it is started again")
            os.kill(os.getppid(), signal.SIGKILL)

    def _hints_wait(self) -> bool:
        try:
            return any(self._broker.waiting(queue) > 0 for queue in self._queues)
        except HintsDown:
            return False
