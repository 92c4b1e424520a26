"""Claim, heartbeat, finish, give back: the moves of a job, each one statement fenced by the attempt number.

Only the database's clock decides. A worker that comes back from the dead meets an attempt that is not its own and
writes nothing. Called by the runner (claim, beat, release with the queue's role; finish with the tenant's) and by
the reaper. Knows nothing of what a job does.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.catalog.tables import JobItemRow, JobRow
from app.catalog.webhooks import announce
from app.queue import events
from app.queue.outbox import hint_later
from app.queue.tasks import Cancelled, Claim, EventType, ItemStatus, JobStatus, LeaseLost, error_body

NOW = func.clock_timestamp()
PARKED = error_body(
    "job.parked",
    "The work was set aside",
    status=500,
    detail="It ended its worker at every attempt; it runs again only if it is retried.",
)
FINISHED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})
"""States that only a retry leaves; plain strings compare equal."""


class Beat(StrEnum):
    """What a heartbeat learned."""

    HELD = "held"
    CANCELLING = "cancelling"
    LOST = "lost"


def _held(claim: Claim, *statuses: JobStatus) -> ColumnElement[bool]:
    """The fence: this attempt is still the job's attempt."""
    return and_(JobRow.id == claim.job_id, JobRow.attempt == claim.attempt, JobRow.status.in_(statuses))


def claim(session: Session, job_id: UUID, *, worker: str, lease_s: float) -> Claim | None:
    """Take a due job, or one whose lease ran out; None if somebody has it, it is over, or it used up its attempts."""
    due = and_(JobRow.status == JobStatus.QUEUED, JobRow.run_at <= NOW)
    abandoned = and_(JobRow.status == JobStatus.RUNNING, JobRow.lease_until < NOW)
    statement = (
        update(JobRow)
        .where(JobRow.id == job_id, or_(due, abandoned), JobRow.attempt < JobRow.max_attempts)
        .values(
            status=JobStatus.RUNNING,
            attempt=JobRow.attempt + 1,
            lease_until=NOW + timedelta(seconds=lease_s),
            worker=worker,
            started_at=func.coalesce(JobRow.started_at, NOW),
            error=None,
        )
        .returning(JobRow.tenant_id, JobRow.kind, JobRow.attempt, JobRow.max_attempts)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    events.notify(session, job_id)
    return Claim(
        job_id=job_id, tenant_id=row.tenant_id, kind=row.kind, attempt=row.attempt, max_attempts=row.max_attempts
    )


def heartbeat(session: Session, claim: Claim, *, lease_s: float) -> Beat:
    """Extend the lease and say whether it is still ours and still wanted."""
    statement = (
        update(JobRow)
        .where(_held(claim, JobStatus.RUNNING, JobStatus.CANCELLING))
        .values(lease_until=NOW + timedelta(seconds=lease_s))
        .returning(JobRow.status)
        .execution_options(synchronize_session=False)
    )
    status = session.scalar(statement)
    if status is None:
        return Beat.LOST
    return Beat.CANCELLING if status == JobStatus.CANCELLING else Beat.HELD


def hold(session: Session, claim: Claim) -> None:
    """Lock the job's row for this transaction and check the fence: whatever follows commits under this attempt.

    Raises LeaseLost, or Cancelled if the caller has changed his mind.
    """
    row = session.execute(
        select(JobRow.status).where(_held(claim, JobStatus.RUNNING, JobStatus.CANCELLING)).with_for_update()
    ).one_or_none()
    if row is None:
        raise LeaseLost
    if row.status == JobStatus.CANCELLING:
        raise Cancelled


def finish(
    session: Session,
    claim: Claim,
    status: JobStatus,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End the job inside the caller's transaction, in which its effect is written too; raises LeaseLost or Cancelled.

    Cancelled is raised only where the work succeeded too late: a cancelled job has no effect.
    """
    allowed = (JobStatus.RUNNING,) if status is JobStatus.SUCCEEDED else (JobStatus.RUNNING, JobStatus.CANCELLING)
    values: dict[str, Any] = {
        "status": status,
        "result": result,
        "error": error,
        "lease_until": None,
        "finished_at": NOW,
    }
    if status is JobStatus.SUCCEEDED:
        values["progress_done"] = JobRow.progress_total
    statement = update(JobRow).where(_held(claim, *allowed)).values(values)
    changed = session.execute(statement.returning(JobRow.id).execution_options(synchronize_session=False)).one_or_none()
    if changed is None:
        hold(session, claim)  # says which of the two it was
        raise LeaseLost
    if status is JobStatus.CANCELLED:
        cancel_items(session, claim.job_id)
    completed(session, claim.job_id, status, result=result, error=error)


def completed(
    session: Session,
    job_id: UUID,
    status: JobStatus,
    *,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
    tenant_id: UUID | None = None,
) -> None:
    """Write the last event of a run, and have those told who asked to be."""
    data = {"status": status.value, "result": result, "error": error}
    events.append(session, job_id, EventType.COMPLETED, data, tenant_id=tenant_id)
    announce(session, job_id, f"job.{status.value}")


def cancel_items(session: Session, job_id: UUID) -> None:
    """Give up the items that are not done."""
    open_items = (ItemStatus.QUEUED, ItemStatus.RUNNING)
    session.execute(
        update(JobItemRow)
        .where(JobItemRow.job_id == job_id, JobItemRow.status.in_(open_items))
        .values(status=ItemStatus.CANCELLED, finished_at=NOW)
        .execution_options(synchronize_session=False)
    )


def release(
    session: Session, claim: Claim, *, delay_s: float, error: dict[str, Any] | None = None, counts: bool = False
) -> None:
    """Give the job back for a later try; `error` says what was in the way, and stays on the queued job for who waits.

    The attempt number never goes back, it is the fence: where the try was not the work's fault (a dependency is down,
    the worker stops) and so does not count, one more is allowed instead. Raises LeaseLost or Cancelled.
    """
    statement = (
        update(JobRow)
        .where(_held(claim, JobStatus.RUNNING))
        .values(
            status=JobStatus.QUEUED,
            lease_until=None,
            max_attempts=JobRow.max_attempts + (0 if counts else 1),
            run_at=NOW + timedelta(seconds=delay_s),
            error=error,
        )
        .returning(JobRow.queue)
        .execution_options(synchronize_session=False)
    )
    queue = session.scalar(statement)
    if queue is None:
        hold(session, claim)
        raise LeaseLost
    hint_later(session, claim.job_id, queue, tenant_id=claim.tenant_id)
    events.notify(session, claim.job_id)
