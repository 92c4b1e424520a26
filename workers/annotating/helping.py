"""Idle workers that help with a large order: the owner orders `annotation.help` jobs, as many as there are workers to spare.

A help job is a claim like any other, with a lease of its own: when its worker dies the items it held go back into the pile.
It gives way as soon as other work waits. Knows nothing of what is written.
"""

import math
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.catalog.jobs import HELP
from app.catalog.session import queue_transaction
from app.catalog.tables import JobItemRow, JobRow, WorkerProcessRow
from app.queue import leases
from app.queue.leases import NOW
from app.queue.outbox import enqueue
from app.queue.tasks import ItemStatus, JobStatus, Queue
from workers.context import JobContext

_LOOK_EVERY_S = 2.0
_SEEN_WITHIN = timedelta(seconds=15)


class Helpers:
    """Looks after the helpers of one order; `share` is how many items one worker has in work."""

    def __init__(self, job: JobContext, order_id: UUID, *, share: int) -> None:
        self._job, self._order_id, self._share = job, order_id, share
        self._enlisted: list[UUID] = []
        self._look_at = 0.0

    def enlist(self) -> None:
        """Order as many helpers as there are workers without one and items for them; looks every 2 s."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            serving = select(func.count()).where(
                WorkerProcessRow.queues.contains([Queue.BATCH.value]),
                WorkerProcessRow.last_seen_at > NOW - _SEEN_WITHIN,
            )
            open_ = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLING)
            helping = select(JobRow.id).where(JobRow.id.in_(self._enlisted), JobRow.status.in_(open_))
            self._enlisted = list(session.scalars(helping)) if self._enlisted else []
            waiting = select(func.count()).where(
                JobItemRow.job_id == self._order_id, JobItemRow.status == ItemStatus.QUEUED
            )
            useful = math.ceil((session.scalar(waiting) or 0) / self._share)
            wanted = min((session.scalar(serving) or 1) - 1, useful) - len(self._enlisted)
            for _ in range(wanted):
                payload = {"order_id": str(self._order_id)}
                self._enlisted.append(enqueue(session, kind=HELP, queue=Queue.BATCH, payload=payload).id)

    def others_wait(self) -> bool:
        """Whether another batch job waits for a worker; looks every 2 s, of any tenant."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        waits = select(JobRow.id).where(
            JobRow.queue == Queue.BATCH, JobRow.status == JobStatus.QUEUED, JobRow.run_at <= NOW, JobRow.kind != HELP
        )
        with queue_transaction(self._job.resources.queue_engine, durable=False) as session:
            return session.scalar(waits.limit(1)) is not None
