"""The contract between who orders work and who does it: queues, states, and what a claim holds.

Used by services, the runner and housekeeping. Contains names and values only.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

RUN_JOB = "job.run"
"""Name of the one Celery task; its only argument is a job id."""

OUTBOX_CHANNEL = "markwise_outbox"
"""Postgres channel: somebody ordered work (payload: the queue)."""

JOBS_CHANNEL = "markwise_jobs"
"""Postgres channel: a job changed (payload: its id)."""


class Queue(StrEnum):
    """Where a job waits. `interactive` is ahead of everything by having workers of its own."""

    INTERACTIVE = "interactive"
    BATCH = "batch"
    TRAIN = "train"


class JobStatus(StrEnum):
    """States of a job."""

    QUEUED = "queued"  # ordered, released by a worker for later, or taken from a dead one
    RUNNING = "running"  # queued -> running, by a claim
    CANCELLING = "cancelling"  # running -> cancelling, by a caller
    SUCCEEDED = "succeeded"  # running -> succeeded, with its effect in one transaction
    FAILED = "failed"  # running -> failed; or parked by the reaper
    CANCELLED = "cancelled"  # queued -> cancelled at once; cancelling -> cancelled by worker or reaper

    @property
    def finished(self) -> bool:
        """True if only a retry can change the job again."""
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


class ItemStatus(StrEnum):
    """States of one item of a batch job."""

    QUEUED = "queued"
    RUNNING = "running"  # begun; still so in a dead attempt, and begun again by the next
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class EventType(StrEnum):
    """Kinds of job events, as the event stream names them."""

    PROGRESS = "progress"
    LOG = "log"
    METRIC = "metric"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on a job: valid while `attempt` is still the row's attempt."""

    job_id: UUID
    tenant_id: UUID
    kind: str
    attempt: int
    max_attempts: int


class LeaseLost(Exception):
    """Another attempt owns the job now, or nobody does; nothing of this one may be written."""


class Cancelled(Exception):
    """The caller does not want the job any more."""


def error_body(code: str, title: str, *, status: int, detail: str | None = None) -> dict[str, Any]:
    """The shape of `jobs.error` and `job_items.error`: what the caller's problem document will say."""
    return {"code": code, "title": title, "status": status, "detail": detail}
