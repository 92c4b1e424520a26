"""The append-only history of a job, and the wake-up for who watches it.

Written in the transaction that causes the event, so nobody sees an event of something that did not happen.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.catalog.tables import JobEventRow
from app.queue.tasks import JOBS_CHANNEL, EventType


def notify(session: Session, job_id: UUID) -> None:
    """Wake the watchers of a job when this transaction commits."""
    session.execute(select(func.pg_notify(JOBS_CHANNEL, str(job_id))))


def append(
    session: Session, job_id: UUID, type_: EventType, data: dict[str, Any], *, tenant_id: UUID | None = None
) -> None:
    """Add an event; `tenant_id` is needed only where the session has no tenant of its own (the queue's role)."""
    values: dict[str, Any] = {"job_id": job_id, "type": type_.value, "data": data}
    if tenant_id is not None:
        values["tenant_id"] = tenant_id
    session.execute(insert(JobEventRow).inline().values(values))
    notify(session, job_id)
