"""What a handler gets: its job's payload, the means to report, and the only ways to make an effect real.

Every effect commits together with the state that follows from it, fenced by the attempt. A handler computes with no
transaction open and calls `checkpoint` often. Knows nothing of what the handlers do.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobItemRow, JobRow
from app.queue import asides, events, leases
from app.queue.leases import NOW
from app.queue.tasks import Claim, EventType, ItemStatus, JobStatus, error_body
from workers.heart import Heart
from workers.resources import Resources

Effect = Callable[[Session], dict[str, Any] | None]

_EVENT_EVERY_S = 0.25
CRASH_BUDGET = 3
# A job has three attempts. An item that ended two of them is set aside in the third, so that the others get done.
ITEM_ATTEMPTS = 2
ITEM_PARKED = error_body("item.parked", "The item was set aside", status=500, detail="It ended its worker twice.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One unit of a batch job."""

    number: int
    payload: dict[str, Any]
    attempt: int


class JobContext:
    """One attempt at one job. Its methods may be called from several threads."""

    def __init__(self, *, claim: Claim, payload: dict[str, Any], resources: Resources, heart: Heart) -> None:
        self.claim = claim
        self.payload = payload
        self.resources = resources
        self.finished = False
        self._heart = heart
        self._lock = threading.Lock()
        self._next_event_at = 0.0

    @property
    def job_id(self) -> UUID:
        """The job."""
        return self.claim.job_id

    @property
    def tenant_id(self) -> UUID:
        """Whose job it is, from the row."""
        return self.claim.tenant_id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self.claim.attempt

    def checkpoint(self) -> None:
        """Raise Cancelled, LeaseLost or Draining if the work must end; let them pass through. Cheap: no query."""
        self._heart.check()

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction of the job's tenant for reading; effects belong into `finish` and `finish_item`."""
        return transaction(self.resources.engine, self.tenant_id)

    def progress(self, done: int, total: int, stage: str | None = None) -> None:
        """Show how far the work is. Frequent calls are thinned out; the first of a stage and the last count get through."""
        self.checkpoint()
        if done < total and not self._event_due():
            return
        with self.transaction() as session:
            self._fenced_update(session, progress_done=done, progress_total=total, progress_stage=stage)
            data = {"done": done, "total": total, "stage": stage}
            events.append(session, self.job_id, EventType.PROGRESS, data)

    def log(self, message: str, *, level: str = "info") -> None:
        """Add a line to the job's event stream; callers see it."""
        self._event(EventType.LOG, {"level": level, "message": message})

    def metric(self, name: str, value: float, *, step: int | None = None, stage: str | None = None) -> None:
        """Add a number to the job's event stream, such as a loss at a step of a stage."""
        self._event(EventType.METRIC, {"name": name, "value": value, "step": step, "stage": stage})

    def tell(self, told: Sequence[dict[str, Any]]) -> None:
        """Say something to whoever listens to this job now; it may be lost, and nothing of it is kept."""
        self.checkpoint()
        with queue_transaction(self.resources.queue_engine, durable=False) as session:
            asides.send(session, self.job_id, told)

    def items(self) -> Iterator[Item]:
        """Yield the items that are not done, in order, each marked as begun; those that killed two attempts are parked."""
        after = -1
        while (item := self._begin_after(after)) is not None:
            after = item.number
            if item.attempt > ITEM_ATTEMPTS:
                self.fail_item(item, ITEM_PARKED)
            else:
                yield item

    def finish_item(self, item: Item, effect: Effect) -> None:
        """Commit an item's effect, its state and the progress in one transaction; `effect` returns the item's result."""
        self._end_item(item, ItemStatus.SUCCEEDED, effect=effect)

    def fail_item(self, item: Item, error: dict[str, Any]) -> None:
        """Record that an item failed; the job goes on."""
        self._end_item(item, ItemStatus.FAILED, error=error)

    def give_back(self, item: Item) -> None:
        """Undo the beginning of an item that is not to blame, because a dependency is down; the next attempt begins with it."""
        with self.transaction() as session:
            leases.hold(session, self.claim)
            session.execute(
                update(JobItemRow)
                .where(JobItemRow.job_id == self.job_id, JobItemRow.item == item.number)
                .values(status=ItemStatus.QUEUED, attempt=item.attempt - 1)
                .execution_options(synchronize_session=False)
            )

    def finish(self, effect: Effect) -> None:
        """Commit the job's effect, its state and the last event in one transaction; `effect` returns `job.result`.

        Raises LeaseLost or Cancelled, and then nothing of the effect is kept.
        """
        self.checkpoint()
        with self.transaction() as session:
            leases.hold(session, self.claim)
            result = effect(session)
            leases.finish(session, self.claim, JobStatus.SUCCEEDED, result=result)
        self.finished = True

    def _begin_after(self, number: int) -> Item | None:
        self.checkpoint()
        todo = (ItemStatus.QUEUED, ItemStatus.RUNNING)
        with self.transaction() as session:
            leases.hold(session, self.claim)
            following = (
                select(JobItemRow.item)
                .where(JobItemRow.job_id == self.job_id, JobItemRow.item > number, JobItemRow.status.in_(todo))
                .order_by(JobItemRow.item)
                .limit(1)
                .scalar_subquery()
            )
            row = session.execute(
                update(JobItemRow)
                .where(JobItemRow.job_id == self.job_id, JobItemRow.item == following)
                .values(status=ItemStatus.RUNNING, attempt=JobItemRow.attempt + 1)
                .returning(JobItemRow.item, JobItemRow.payload, JobItemRow.attempt)
                .execution_options(synchronize_session=False)
            ).one_or_none()
        return None if row is None else Item(number=row.item, payload=row.payload, attempt=row.attempt)

    def _end_item(
        self, item: Item, status: ItemStatus, *, effect: Effect | None = None, error: dict[str, Any] | None = None
    ) -> None:
        failed = int(status is ItemStatus.FAILED)
        with self.transaction() as session:
            # First, because it locks the row: two effects of one job never interleave with a lost lease.
            done, total, all_failed = self._fenced_update(
                session,
                progress_done=JobRow.progress_done + 1,
                progress_failed=JobRow.progress_failed + failed,
                # An item that got done proves that the job does not just kill workers.
                max_attempts=self.attempt + CRASH_BUDGET,
            )
            result = effect(session) if effect is not None else None
            session.execute(
                update(JobItemRow)
                .where(JobItemRow.job_id == self.job_id, JobItemRow.item == item.number)
                .values(status=status, result=result, error=error, finished_at=NOW)
                .execution_options(synchronize_session=False)
            )
            if done >= total or self._event_due():
                data = {"done": done, "total": total, "failed": all_failed, "stage": None}
                events.append(session, self.job_id, EventType.PROGRESS, data)

    def _fenced_update(self, session: Session, **values: Any) -> tuple[int, int, int]:
        leases.hold(session, self.claim)
        row = session.execute(
            update(JobRow)
            .where(JobRow.id == self.job_id)
            .values(values)
            .returning(JobRow.progress_done, JobRow.progress_total, JobRow.progress_failed)
            .execution_options(synchronize_session=False)
        ).one()
        return row.progress_done, row.progress_total, row.progress_failed

    def _event(self, type_: EventType, data: dict[str, Any]) -> None:
        with self.transaction() as session:
            leases.hold(session, self.claim)
            events.append(session, self.job_id, type_, data)

    def _event_due(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._next_event_at:
                return False
            self._next_event_at = now + _EVENT_EVERY_S
            return True
