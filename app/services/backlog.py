"""How much interactive work waits, over all tenants: beyond a limit new work is refused instead of left to wait for nothing.

Asked by the routes that order interactive jobs, in their threads; reads one indexed count twice a second at most. Batch and training
orders are not refused: they have workers of their own, and nobody waits for them.
"""

import math
import random
import threading
import time

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import queue_engine, queue_transaction
from app.catalog.tables import JobRow
from app.errors import Overloaded
from app.queue.leases import NOW
from app.queue.tasks import JobStatus, Queue
from app.settings import Settings

_BELIEVED_S = 0.5
_LONGEST_RETRY_S = 60.0


class Backlog:
    """One per API process; threads share it."""

    def __init__(self, settings: Settings) -> None:
        """Connects at the first question."""
        self._settings, self._limit = settings, settings.queue_limit
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._read_at = -math.inf
        self._queued, self._oldest_s = 0, 0.0

    def check(self) -> None:
        """Raise Overloaded when as many interactive jobs wait as the settings allow; a catalog that is down is found out elsewhere."""
        if not self._limit:
            return
        # Whoever comes while another one reads goes by what was read before.
        if time.monotonic() - self._read_at > _BELIEVED_S and self._lock.acquire(blocking=False):
            try:
                self._queued, self._oldest_s = self._read()
                self._read_at = time.monotonic()
            except SQLAlchemyError:
                self._queued = 0
            finally:
                self._lock.release()
        if self._queued >= self._limit:
            # In about the time that the oldest has waited the queue has moved on by its whole length.
            wait_s = min(max(1.0, self._oldest_s), _LONGEST_RETRY_S) * random.uniform(0.5, 1.0)
            raise Overloaded(f"{self._queued} requests wait for a worker already.", retry_after_s=wait_s)

    def close(self) -> None:
        """Close the connection."""
        if self._engine is not None:
            self._engine.dispose()

    def _read(self) -> tuple[int, float]:
        self._engine = self._engine or queue_engine(self._settings, name="markwise-backlog", pool_size=1)
        waiting = select(func.count(), func.extract("epoch", NOW - func.min(JobRow.run_at))).where(
            JobRow.queue == Queue.INTERACTIVE, JobRow.status == JobStatus.QUEUED, JobRow.run_at <= NOW
        )
        with queue_transaction(self._engine, durable=False) as session:
            count, oldest_s = session.execute(waiting).one()
        return int(count), float(oldest_s or 0.0)
