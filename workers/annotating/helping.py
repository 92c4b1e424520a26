"""Idle workers that help with a large order: the owner orders `annotation.help` jobs, as many as there are workers to spare.

A help job is a claim like any other, with a lease of its own: when its worker dies the items it held go back into the pile.
It gives way as soon as other work waits. Knows nothing of what is written.
"""

import math
import time
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.jobs import HELP
from app.catalog.session import queue_transaction
from app.catalog.tables import JobItemRow, JobRow, WorkerProcessRow
from app.catalog.worker_processes import reporting
from app.queue import leases
from app.queue.leases import NOW
from app.queue.outbox import enqueue
from app.queue.tasks import ItemStatus, JobStatus, Queue
from workers.context import JobContext

_LOOK_EVERY_S = 2.0


class Helpers:
    """Looks after the helpers of one order.

    `share` is how many questions this claim has under way, and a helper at most; `limit` how many all may have together.
    """

    def __init__(self, job: JobContext, order_id: UUID, *, share: int, limit: int | None) -> None:
        self._job, self._order_id, self._share, self._limit = job, order_id, share, limit
        self._enlisted: dict[UUID, int] | None = None  # the slots of each
        self._look_at = 0.0

    def enlist(self) -> None:
        """Order as many helpers as there are workers without one, items for them and questions to share out; looks every 2 s."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            enlisted = self._enlisted = self._open(session)
            serving = select(func.count()).where(WorkerProcessRow.queues.contains([Queue.BATCH.value]), reporting())
            waiting = select(func.count()).where(
                JobItemRow.job_id == self._order_id, JobItemRow.status == ItemStatus.QUEUED
            )
            useful = math.ceil((session.scalar(waiting) or 0) / self._share)
            wanted = min((session.scalar(serving) or 1) - 1, useful) - len(enlisted)
            for slots in self._shares(wanted, sum(enlisted.values())):
                payload = {"order_id": str(self._order_id), "slots": slots}
                enlisted[enqueue(session, kind=HELP, queue=Queue.BATCH, payload=payload).id] = slots

    def _open(self, session: Session) -> dict[UUID, int]:
        """Return the helpers that have not ended; an attempt's first look finds those of the attempt before."""
        if self._enlisted is None and self._job.attempt > 1:
            mine = JobRow.payload["order_id"].astext == str(self._order_id)
        elif self._enlisted:
            mine = JobRow.id.in_(self._enlisted)
        else:
            return {}
        slots = func.coalesce(JobRow.payload["slots"].as_integer(), self._share).label("slots")
        open_ = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELLING)
        query = select(JobRow.id, slots).where(JobRow.kind == HELP, JobRow.status.in_(open_), mine)
        return {row.id: row.slots for row in session.execute(query)}

    def _shares(self, helpers: int, given: int) -> list[int]:
        """Share out the questions that nobody has among so many helpers: full shares first."""
        shares = []
        left = None if self._limit is None else self._limit - self._share - given
        for _ in range(helpers):
            slots = self._share if left is None else min(self._share, left)
            if slots < 1:
                break
            shares.append(slots)
            left = None if left is None else left - slots
        return shares

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
