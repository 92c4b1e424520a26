"""What a caller may do to a job that exists: cancel it, or try what failed again. Used by routes and the CLI.

The session belongs to the job's tenant. Workers learn of it at their next heartbeat or item.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.catalog.tables import JobItemRow, JobRow
from app.errors import Conflict, NotFound
from app.queue import events
from app.queue.leases import FINISHED, NOW, cancel_items, completed
from app.queue.outbox import hint_later
from app.queue.spending import granted_again
from app.queue.tasks import ItemStatus, JobStatus


def _locked(session: Session, job_id: UUID) -> JobRow:
    statement = select(JobRow).where(JobRow.id == job_id).with_for_update().execution_options(populate_existing=True)
    job = session.scalar(statement)
    if job is None:
        raise NotFound("There is no job with this id.")
    return job


def _set(session: Session, job: JobRow, **values: Any) -> None:
    session.execute(
        update(JobRow).where(JobRow.id == job.id).values(values).execution_options(synchronize_session=False)
    )
    session.refresh(job)


def cancel(session: Session, job_id: UUID) -> JobRow:
    """Cancel a job: a queued one at once, a running one as soon as its worker notices; a finished one stays as it is.

    Raises NotFound. Items that are done stay done.
    """
    job = _locked(session, job_id)
    if job.status == JobStatus.QUEUED:
        _set(session, job, status=JobStatus.CANCELLED, finished_at=NOW)
        cancel_items(session, job.id)
        completed(session, job.id, JobStatus.CANCELLED)
    elif job.status == JobStatus.RUNNING:
        _set(session, job, status=JobStatus.CANCELLING)
        events.notify(session, job.id)
    return job


def retry(session: Session, job_id: UUID) -> JobRow:
    """Queue a failed or cancelled job again, or the failed items of one that succeeded; raises NotFound or Conflict.

    Items that succeeded are not touched. The attempt number goes on: it is the fence against a late worker.
    """
    job = _locked(session, job_id)
    if job.status not in FINISHED:
        raise Conflict("Only a finished job can be retried.")
    again = (ItemStatus.FAILED, ItemStatus.CANCELLED, ItemStatus.RUNNING)
    reset = session.execute(
        update(JobItemRow)
        .where(JobItemRow.job_id == job.id, JobItemRow.status.in_(again))
        .values(status=ItemStatus.QUEUED, attempt=0, error=None, finished_at=None)
        .returning(JobItemRow.item)
        .execution_options(synchronize_session=False)
    ).all()
    if job.status == JobStatus.SUCCEEDED and not reset:
        raise Conflict("Nothing of this job failed.")
    done = select(func.count()).where(JobItemRow.job_id == job.id, JobItemRow.status == ItemStatus.SUCCEEDED)
    _set(
        session,
        job,
        status=JobStatus.QUEUED,
        max_attempts=job.attempt + 3,
        run_at=NOW,
        finished_at=None,
        error=None,
        result=None,
        usage=granted_again(job.usage),
        progress_failed=0,
        progress_done=done.scalar_subquery(),
    )
    hint_later(session, job.id, job.queue)
    events.notify(session, job.id)
    return job
