"""Takes jobs back from workers that died, parks those that kill every worker, repeats hints that got lost.

Runs in the housekeeping process; several may run at once. Only the database's clock counts.
"""

import logging
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, Row, delete, exists, select, update
from sqlalchemy.orm import Session

from app.catalog.session import queue_transaction
from app.catalog.tables import JobRow, OutboxRow, WorkerProcessRow
from app.queue import events, leases
from app.queue.broker import HintBroker
from app.queue.leases import NOW, PARKED
from app.queue.outbox import hint_later
from app.queue.tasks import JobStatus, Queue

_log = logging.getLogger(__name__)
Expired = Row[UUID, UUID, str, str, int, int]
_BATCH = 100
_FORGET_WORKERS_AFTER = timedelta(seconds=60)


class Reaper:
    """One pass is `reap`, then `repeat_hints` if Redis answers."""

    def __init__(self, engine: Engine, broker: HintBroker, *, resend_s: float, outstanding: int) -> None:
        self._engine, self._broker = engine, broker
        self._resend_s, self._outstanding = resend_s, outstanding

    def reap(self) -> int:
        """End or requeue jobs whose lease ran out; return how many."""
        with queue_transaction(self._engine) as session:
            expired = session.execute(
                select(JobRow.id, JobRow.tenant_id, JobRow.queue, JobRow.status, JobRow.attempt, JobRow.max_attempts)
                .where(JobRow.lease_until < NOW)
                .order_by(JobRow.lease_until)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for row in expired:
                if row.status == JobStatus.CANCELLING:
                    self._end(session, row, JobStatus.CANCELLED)
                elif row.attempt >= row.max_attempts:
                    _log.error("job %s is parked: it ended its worker %d times", row.id, row.attempt)
                    self._end(session, row, JobStatus.FAILED)
                else:
                    _log.warning("job %s was left by a dead worker in attempt %d", row.id, row.attempt)
                    self._requeue(session, row)
            session.execute(delete(WorkerProcessRow).where(WorkerProcessRow.last_seen_at < NOW - _FORGET_WORKERS_AFTER))
        return len(expired)

    def repeat_hints(self) -> int:
        """Hint again what was hinted long ago and never claimed; only for queues without a waiting hint.

        Where hints wait, the workers are busy and more would not help. Where none waits, those sent were lost with
        Redis or with the worker that took them. Raises HintsDown.
        """
        repeated = 0
        for queue in Queue:
            if self._broker.waiting(queue) == 0:
                with queue_transaction(self._engine) as session:
                    repeated += self._hint_again(session, queue)
        return repeated

    def _hint_again(self, session: Session, queue: Queue) -> int:
        before = NOW - timedelta(seconds=self._resend_s)
        forgotten = session.execute(
            select(JobRow.id, JobRow.tenant_id)
            .where(
                JobRow.queue == queue,
                JobRow.status == JobStatus.QUEUED,
                JobRow.run_at < before,
                (JobRow.hinted_at < before) | JobRow.hinted_at.is_(None),
                ~exists().where(OutboxRow.job_id == JobRow.id),
            )
            .order_by(JobRow.run_at)
            .limit(self._outstanding)
            .with_for_update(skip_locked=True, of=JobRow)
        ).all()
        for row in forgotten:
            hint_later(session, row.id, queue, tenant_id=row.tenant_id)
        return len(forgotten)

    def _end(self, session: Session, row: Expired, status: JobStatus) -> None:
        error = PARKED if status is JobStatus.FAILED else None
        self._set(session, row, status=status, lease_until=None, finished_at=NOW, error=error)
        if status is JobStatus.CANCELLED:
            leases.cancel_items(session, row.id)
        leases.completed(session, row.id, status, error=error, tenant_id=row.tenant_id)

    def _requeue(self, session: Session, row: Expired) -> None:
        self._set(session, row, status=JobStatus.QUEUED, lease_until=None, run_at=NOW)
        hint_later(session, row.id, row.queue, tenant_id=row.tenant_id)
        events.notify(session, row.id)

    def _set(self, session: Session, row: Expired, **values: object) -> None:
        statement = update(JobRow).where(JobRow.id == row.id).values(values)
        session.execute(statement.execution_options(synchronize_session=False))
