"""run(job id): claim, heartbeat, work, fence and commit. The only way a job runs.

The tenant comes from the row, never from the message: a forged or repeated hint changes nothing. Called by the
Celery task; knows nothing of marks or models.
"""

import logging
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobItemRow, JobRow
from app.queue import leases
from app.queue.tasks import Cancelled, Claim, ItemStatus, JobStatus, LeaseLost
from app.telemetry.context import bound
from app.telemetry.traces import span
from workers.context import JobContext
from workers.handlers import resolve
from workers.heart import Heart
from workers.resources import Resources
from workers.retries import EveryItemFailed, GiveUp, Retry, decide

_log = logging.getLogger(__name__)
_SETTLE_TRIES = 5


class Outcome(StrEnum):
    """What became of one hint."""

    NOT_OURS = "not_ours"  # somebody has the job, or it is over: a stale hint
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RELEASED = "released"  # back in the queue for later
    LOST = "lost"  # another attempt owns the job, or the database is away; the reaper knows


class Runner:
    """Runs jobs in this process, one at a time; `activity` is odd while it does."""

    def __init__(
        self,
        resources: Resources,
        registry: Mapping[str, str],
        *,
        worker: str,
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        self._resources, self._registry, self._worker, self._draining = resources, registry, worker, draining
        self.activity = 0

    def run(self, job_id: UUID) -> Outcome:
        """Run one job if it can be claimed; never raises for anything the work does."""
        self.activity += 1
        try:
            return self._run(job_id)
        finally:
            self.activity += 1

    def _run(self, job_id: UUID) -> Outcome:
        if self._draining():
            return Outcome.NOT_OURS  # the hint is spent; housekeeping sends another
        settings = self._resources.settings
        with queue_transaction(self._resources.queue_engine) as session:
            claim = leases.claim(session, job_id, worker=self._worker, lease_s=settings.lease_s)
        if claim is None:
            return Outcome.NOT_OURS
        with bound(job_id=str(claim.job_id)):
            return self._claimed(claim)

    def _claimed(self, claim: Claim) -> Outcome:
        settings = self._resources.settings
        started_at = time.monotonic()
        with Heart(
            self._resources.queue_engine,
            claim,
            lease_s=settings.lease_s,
            beat_s=settings.heartbeat_s,
            draining=self._draining,
        ) as heart:
            outcome = self._attempt(claim, heart)
        _log.info(
            "job %s (%s) attempt %d: %s in %.3f s",
            claim.job_id,
            claim.kind,
            claim.attempt,
            outcome,
            time.monotonic() - started_at,
        )
        return outcome

    def _attempt(self, claim: Claim, heart: Heart) -> Outcome:
        try:
            self._work(claim, heart)
        except LeaseLost:
            return Outcome.LOST
        except Cancelled:
            return self._settle(claim, lambda: self._end(claim, JobStatus.CANCELLED))
        except Exception as error:
            match decide(error, claim.attempt):
                case Retry() as later:
                    if later.error is not None:
                        _log.warning("job %s (%s) is tried again later", claim.job_id, claim.kind, exc_info=error)
                    return self._settle(claim, lambda: self._release(claim, later))
                case GiveUp(error=body):
                    _log.exception("job %s (%s) failed", claim.job_id, claim.kind)
                    return self._settle(claim, lambda: self._end(claim, JobStatus.FAILED, body))
        return Outcome.SUCCEEDED

    def _work(self, claim: Claim, heart: Heart) -> None:
        handler = resolve(claim.kind, self._registry)
        with transaction(self._resources.engine, claim.tenant_id) as session:
            row = session.execute(
                select(JobRow.payload, JobRow.progress_total, JobRow.trace).where(JobRow.id == claim.job_id)
            ).one_or_none()
        if row is None:
            raise LeaseLost  # the owner has deleted it meanwhile
        job = JobContext(claim=claim, payload=row.payload, resources=self._resources, heart=heart)
        ordered_by = {name: value for name, value in row.trace.items() if name != "job_id"}
        with (
            bound(request_id=ordered_by.get("request_id")),
            span(claim.kind, SpanKind.CONSUMER, parent=ordered_by, job_id=str(claim.job_id), attempt=claim.attempt),
        ):
            result = handler(job)
        if job.finished:
            return
        if row.progress_total > 0 and self._every_item_failed(claim):
            raise EveryItemFailed
        job.finish(lambda _session: result)

    def _every_item_failed(self, claim: Claim) -> bool:
        with transaction(self._resources.engine, claim.tenant_id) as session:
            total, failed = session.execute(
                select(func.count(), func.count().filter(JobItemRow.status == ItemStatus.FAILED)).where(
                    JobItemRow.job_id == claim.job_id
                )
            ).one()
        return total > 0 and total == failed

    def _end(self, claim: Claim, status: JobStatus, error: dict[str, Any] | None = None) -> Outcome:
        with transaction(self._resources.engine, claim.tenant_id) as session:
            leases.finish(session, claim, status, error=error)
        return Outcome.CANCELLED if status is JobStatus.CANCELLED else Outcome.FAILED

    def _release(self, claim: Claim, later: Retry) -> Outcome:
        if later.counts and claim.attempt >= claim.max_attempts:
            return self._end(claim, JobStatus.FAILED, later.error)
        with queue_transaction(self._resources.queue_engine) as session:
            leases.release(session, claim, delay_s=later.delay_s, error=later.error, counts=later.counts)
        return Outcome.RELEASED

    def _settle(self, claim: Claim, write: Callable[[], Outcome]) -> Outcome:
        """Write how the attempt ended; if the database is away, try for a while and then leave it to the reaper."""
        for turn in range(_SETTLE_TRIES):
            try:
                return write()
            except LeaseLost:
                return Outcome.LOST
            except Cancelled:  # cancelled between the work and its end
                return self._settle(claim, lambda: self._end(claim, JobStatus.CANCELLED))
            except SQLAlchemyError as exc:
                _log.warning("cannot write the end of job %s: %s", claim.job_id, type(exc).__name__)
                time.sleep(0.2 * 2**turn)
        return Outcome.LOST
