"""Outbox rows become broker hints: one pass per wake-up. Runs in the housekeeping process; several may run at once.

Redis may be down, slow, wiped or full: a row leaves the outbox only in the transaction in which its hint was taken.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import Engine, and_, delete, func, select, update
from sqlalchemy.orm import Session

from app.catalog.session import queue_transaction
from app.catalog.tables import JobRow, OutboxRow
from app.queue.broker import HintBroker
from app.queue.leases import NOW

_log = logging.getLogger(__name__)


class Dispatcher:
    """Sends due hints, at most `outstanding` waiting per queue."""

    def __init__(self, engine: Engine, broker: HintBroker, *, outstanding: int) -> None:
        self._engine, self._broker, self._outstanding = engine, broker, outstanding

    def due(self) -> list[str]:
        """Return the queues for which hints wait in the outbox."""
        with queue_transaction(self._engine, durable=False) as session:
            return list(session.scalars(select(OutboxRow.queue).where(OutboxRow.due_at <= NOW).distinct()))

    def dispatch(self, queues: Iterable[str] | None = None) -> int:
        """Send what is due and fits (of `queues`, else of all); return how many hints went out.

        Raises HintsDown; nothing is lost by it. Who was told the queue saves a query, and the caller 2 ms.
        """
        sent = 0
        for queue in self.due() if queues is None else queues:
            room = self._outstanding - self._broker.waiting(queue)
            if room > 0:
                with queue_transaction(self._engine, durable=False) as session:
                    sent += self._send(session, queue, room)
        return sent

    def _send(self, session: Session, queue: str, room: int) -> int:
        # Hint and job are locked at once or not at all: with the hint first, a job that was deleted meanwhile (its
        # caller's deadline was over) met this transaction in a deadlock, 5 times in 150.
        waiting = and_(OutboxRow.queue == queue, OutboxRow.due_at <= NOW)
        turn = func.row_number().over(partition_by=OutboxRow.tenant_id, order_by=OutboxRow.id).label("turn")
        turns = select(OutboxRow.id, turn).where(waiting).subquery()
        due = (
            select(OutboxRow.id)
            .join(turns, turns.c.id == OutboxRow.id)
            .join(JobRow, JobRow.id == OutboxRow.job_id)
            .where(waiting)
            # In turns: whoever ordered a thousand things is not ahead of who ordered one a moment later.
            .order_by(turns.c.turn, OutboxRow.id)
            .limit(room)
            .with_for_update(skip_locked=True, key_share=True, of=[OutboxRow, JobRow])
        )
        taken = session.execute(
            delete(OutboxRow)
            .where(OutboxRow.id.in_(due))
            .returning(OutboxRow.id, OutboxRow.job_id, OutboxRow.tenant_id)
            .execution_options(synchronize_session=False)
        ).all()
        job_ids = _in_turns([(row.tenant_id, row.job_id) for row in sorted(taken, key=lambda row: row.id)])
        if not job_ids:
            return 0
        # Before sending: if the commit fails after it, a hint is repeated, which is harmless; the other order loses it.
        session.execute(
            update(JobRow)
            .where(JobRow.id.in_(job_ids))
            .values(hinted_at=func.clock_timestamp())
            .execution_options(synchronize_session=False)
        )
        for job_id in job_ids:
            self._broker.send(queue, job_id)
        return len(job_ids)


def _in_turns(taken: Sequence[tuple[UUID, UUID]]) -> list[UUID]:
    """Each job once: of (tenant, job) pairs the first of every tenant, then the second of every tenant, and so on."""
    rounds: Counter[UUID] = Counter()
    placed: dict[UUID, int] = {}
    for tenant_id, job_id in taken:
        if job_id not in placed:
            placed[job_id] = rounds[tenant_id]
            rounds[tenant_id] += 1
    return sorted(placed, key=placed.__getitem__)
