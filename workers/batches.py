"""Items that a job finds as it reads, begun and ended in batches: one row per record, one transaction per batch.

For sources whose records are counted only by reading them. A record's number is its place in the source, so an attempt
that reads again finds what is settled and goes on behind it. Called by `importing`; knows nothing of records' contents.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import JobItemRow, JobRow
from app.queue import events, leases
from app.queue.leases import NOW
from app.queue.tasks import EventType, ItemStatus
from workers.context import CRASH_BUDGET, ITEM_ATTEMPTS, ITEM_PARKED, JobContext

STAGE = "import"
_EVENT_EVERY_S = 0.25
SETTLED = frozenset({ItemStatus.SUCCEEDED, ItemStatus.FAILED, ItemStatus.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one record ended: an error, or an effect that returns the item's result (and may itself find an error)."""

    number: int
    effect: Callable[[Session], "Ended"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The result of an item, or its error."""

    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class Batches:
    """The items of one job. Use it from one thread."""

    def __init__(self, job: JobContext) -> None:
        self._job = job
        self._next_event_at = 0.0

    def open(self, first: int, last: int) -> tuple[list[int], list[int]]:
        """Return the numbers from `first` to `last` that are still to do, and those of them that an attempt died over.

        The second are to be done one at a time: one of them may have killed the worker.
        """
        query = select(JobItemRow.item, JobItemRow.status, JobItemRow.attempt).where(
            JobItemRow.job_id == self._job.job_id, JobItemRow.item.between(first, last)
        )
        with self._job.transaction() as session:
            known = {row.item: (row.status, row.attempt) for row in session.execute(query)}
        todo = [number for number in range(first, last + 1) if known.get(number, ("", 0))[0] not in SETTLED]
        return todo, [number for number in todo if known.get(number, ("", 0))[1] > 0]

    def begin(self, payloads: dict[int, dict[str, Any]], *, total: int) -> set[int]:
        """Mark items as begun; returns those to work on, the others have ended two attempts and are parked."""
        rows = [
            {"job_id": self._job.job_id, "item": number, "payload": payload, "status": ItemStatus.RUNNING, "attempt": 1}
            for number, payload in payloads.items()
        ]
        begun = insert(JobItemRow).values(rows)
        begun = begun.on_conflict_do_update(
            index_elements=["job_id", "item"],
            set_={"status": ItemStatus.RUNNING, "attempt": JobItemRow.attempt + 1, "payload": begun.excluded.payload},
        )
        self._job.checkpoint()
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            attempts = session.execute(begun.returning(JobItemRow.item, JobItemRow.attempt)).all()
        parked = [number for number, attempt in attempts if attempt > ITEM_ATTEMPTS]
        if parked:
            self.end(
                [Ending(number=number, effect=lambda _: Ended(error=ITEM_PARKED)) for number in parked], total=total
            )
        return set(payloads) - set(parked)

    def end(self, endings: Sequence[Ending], *, total: int) -> None:
        """Commit the effects of a batch, the states of its items and the progress in one transaction; raises LeaseLost, Cancelled."""
        if not endings:
            return
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            ended = {ending.number: ending.effect(session) for ending in endings}
            table = JobItemRow.__table__
            settle = (
                update(table)  # type: ignore[arg-type]  # the table behind a declared class is a Table
                .where(table.c.job_id == self._job.job_id, table.c.item == bindparam("of_item"))
                .values(
                    status=bindparam("status"), result=bindparam("result"), error=bindparam("error"), finished_at=NOW
                )
            )
            rows = [
                {"of_item": number, "status": _status(end).value, "result": end.result, "error": end.error}
                for number, end in ended.items()
            ]
            session.connection().execute(settle, rows)
            self._report(session, list(ended.values()), total)

    def _report(self, session: Session, ended: Sequence[Ended], total: int) -> None:
        counted = update(JobRow).where(JobRow.id == self._job.job_id)
        row = session.execute(
            counted.values(
                progress_done=JobRow.progress_done + len(ended),
                progress_failed=JobRow.progress_failed + sum(end.error is not None for end in ended),
                progress_total=total,
                progress_stage=STAGE,
                # Records that got done prove that the job does not just kill workers.
                max_attempts=self._job.attempt + CRASH_BUDGET,
            )
            .returning(JobRow.progress_done, JobRow.progress_total, JobRow.progress_failed)
            .execution_options(synchronize_session=False)
        ).one()
        data = {"done": row.progress_done, "total": row.progress_total, "failed": row.progress_failed, "stage": STAGE}
        if time.monotonic() >= self._next_event_at or row.progress_done >= row.progress_total:
            self._next_event_at = time.monotonic() + _EVENT_EVERY_S
            events.append(session, self._job.job_id, EventType.PROGRESS, data)

    def tally(self) -> dict[str, int]:
        """Return how many items ended in each way: by their result's `outcome`, or `failed`."""
        outcome = func.coalesce(JobItemRow.result["outcome"].astext, JobItemRow.status)
        query = select(outcome, func.count()).where(JobItemRow.job_id == self._job.job_id).group_by(outcome)
        with self._job.transaction() as session:
            return {str(name): count for name, count in session.execute(query)}


def _status(end: Ended) -> ItemStatus:
    return ItemStatus.SUCCEEDED if end.error is None else ItemStatus.FAILED
