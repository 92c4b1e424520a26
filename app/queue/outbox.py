"""Ordering work: job, items and hint are rows in the caller's own transaction. The only way a job comes to be.

The caller's commit makes all of it real and wakes the dispatcher; a rollback leaves nothing. Knows no broker.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from app.catalog.tables import JobRow, OutboxRow
from app.queue.tasks import OUTBOX_CHANNEL
from app.telemetry.context import labels
from app.telemetry.traces import carrier

_ITEMS_AT_ONCE = 20_000


def enqueue(
    session: Session,
    *,
    kind: str,
    queue: str,
    payload: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]] = (),
    idempotency_key: str | None = None,
    max_attempts: int = 3,
) -> JobRow:
    """Write the order and return its job; with a known `idempotency_key`, the job that has it already.

    The session must belong to a tenant. `items` are the payloads of a batch job's items, numbered from 0. A key seen
    before orders nothing, whatever became of its job.
    """
    values = {
        "kind": kind,
        "queue": queue,
        "payload": dict(payload),
        "idempotency_key": idempotency_key,
        "max_attempts": max_attempts,
        "progress_total": len(items),
        # Whoever runs it says for which request, in logs and traces.
        "trace": {**labels(), **carrier()},
    }
    statement = upsert(JobRow).values(values)
    if idempotency_key is not None:
        statement = statement.on_conflict_do_nothing(index_elements=["tenant_id", "idempotency_key"])
    job: JobRow | None = session.scalar(statement.returning(JobRow))
    if job is None:
        return session.scalars(select(JobRow).where(JobRow.idempotency_key == idempotency_key)).one()
    if items:
        _add_items(session, job.id, items)
    hint_later(session, job.id, queue)
    return job


def _add_items(session: Session, job_id: UUID, items: Sequence[Mapping[str, Any]]) -> None:
    # As one document per statement: row by row, an order of 20,000 items took 26 s on a busy machine.
    statement = text(
        "INSERT INTO job_items (job_id, item, payload) SELECT :job_id, :first + n - 1, payload"
        " FROM jsonb_array_elements(CAST(:items AS jsonb)) WITH ORDINALITY AS listed (payload, n)"
    )
    for first in range(0, len(items), _ITEMS_AT_ONCE):
        part = json.dumps([dict(item) for item in items[first : first + _ITEMS_AT_ONCE]])
        session.execute(statement, {"job_id": job_id, "first": first, "items": part})


def hint_later(session: Session, job_id: UUID, queue: str, *, tenant_id: UUID | None = None) -> None:
    """Have the dispatcher send a hint once this transaction commits and the job is due."""
    due_at = select(JobRow.run_at).where(JobRow.id == job_id).scalar_subquery()
    row: dict[str, Any] = {"job_id": job_id, "queue": queue, "due_at": due_at}
    if tenant_id is not None:
        row["tenant_id"] = tenant_id
    session.execute(insert(OutboxRow).inline().values(row))
    session.execute(select(func.pg_notify(OUTBOX_CHANNEL, queue)))
