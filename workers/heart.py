"""The heartbeat of one running job: a thread that extends the lease and notices when the work must end.

Used by the runner. Shares nothing with the work but a state, which `JobContext.checkpoint` reads.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import queue_transaction
from app.queue import leases
from app.queue.leases import Beat
from app.queue.tasks import Cancelled, Claim, LeaseLost

_log = logging.getLogger(__name__)
_LOOK_S = 0.25


class Draining(Exception):
    """The worker is stopping; the job goes back to the queue."""


class Heart:
    """Beats for `claim` while the block runs; the lease counts as lost when the database was away for longer than it."""

    def __init__(
        self, engine: Engine, claim: Claim, *, lease_s: float, beat_s: float, draining: Callable[[], bool]
    ) -> None:
        self._engine, self._claim, self._lease_s, self._beat_s = engine, claim, lease_s, beat_s
        self._draining = draining
        self._stop = threading.Event()
        self._state = Beat.HELD
        self._last_good = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(self._lease_s)

    def check(self) -> None:
        """Raise LeaseLost, Cancelled or Draining if the work must end."""
        if self._state is Beat.LOST:
            raise LeaseLost
        if self._state is Beat.CANCELLING:
            raise Cancelled
        if self._draining():
            raise Draining

    def _run(self) -> None:
        while self._state is not Beat.LOST and not self._stop.wait(self._beat_s):
            self.beat()

    def beat(self) -> None:
        """Beat once, now."""
        try:
            with queue_transaction(self._engine, durable=False) as session:
                self._state = leases.heartbeat(session, self._claim, lease_s=self._lease_s)
            self._last_good = time.monotonic()
        except SQLAlchemyError as exc:
            _log.warning("heartbeat of job %s failed: %s", self._claim.job_id, type(exc).__name__)
            if time.monotonic() - self._last_good > self._lease_s:
                self._state = Beat.LOST
