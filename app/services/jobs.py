"""Legal moves of a job by its owner: cancel and retry."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.jobs import JobRepository
from app.catalog.tables import JobRow
from app.errors import Conflict
from app.queue import control
from app.queue.tasks import JobStatus


def cancel(session: Session, job_id: UUID) -> JobRow:
    """Ask a job to end; asking again changes nothing; raises NotFound, or Conflict when it has ended."""
    jobs = JobRepository(session)
    status = JobStatus(jobs.get(job_id).status)
    if status.finished and status is not JobStatus.CANCELLED:
        raise Conflict(f"The job has {status.value} already.")
    control.cancel(session, job_id)
    return jobs.get(job_id)


def retry(session: Session, job_id: UUID) -> JobRow:
    """Queue a failed or cancelled job again; raises NotFound, or Conflict when there is nothing to retry."""
    jobs = JobRepository(session)
    row = jobs.get(job_id)
    status = JobStatus(row.status)
    partial = status is JobStatus.SUCCEEDED and row.progress_failed > 0
    if status not in {JobStatus.FAILED, JobStatus.CANCELLED} and not partial:
        raise Conflict(f"The job is {status.value}; only what failed or was cancelled can be retried.")
    control.retry(session, job_id)
    return jobs.get(job_id)
