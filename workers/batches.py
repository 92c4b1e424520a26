"""Items that a job finds as it reads, begun and ended in batches: one row per record, one transaction per batch.

For sources whose records are counted only by reading them. A record's number is its place in the source, so an attempt
that reads again finds what is settled and goes on behind it. Called by `importing` and `evaluating`; knows nothing of records' contents.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.catalog.tables import JobItemRow, JobRow
from app.queue import events, leases
from app.queue.leases import NOW
from app.queue.tasks import Cancelled, EventType, ItemStatus, LeaseLost
from workers.context import CRASH_BUDGET, ITEM_ATTEMPTS, ITEM_PARKED, JobContext

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What is to do of a batch. Of `suspects` one may have killed a worker: they are done one at a time."""

    todo: tuple[int, ...]
    suspects: frozenset[int]
    stale: frozenset[int]
    stale_failed: int


class Batches:
    """The items of one job. Use it from one thread."""

    def __init__(self, job: JobContext, stage: str) -> None:
        """`stage` is what the job's progress calls this."""
        self._job, self._stage = job, stage
        self._next_event_at = 0.0

    def open(self, names: Mapping[int, str]) -> Opening:
        """Return which of these records are still to do; `names` are theirs by their numbers.

        A settled number under which the source now has another record (somebody has mended the file) is to do again.
        """
        query = select(
            JobItemRow.item, JobItemRow.status, JobItemRow.attempt, JobItemRow.payload["record"].astext.label("record")
        ).where(JobItemRow.job_id == self._job.job_id, JobItemRow.item.between(min(names), max(names)))
        with self._job.transaction() as session:
            known = {row.item: row for row in session.execute(query)}
        settled = {number for number, row in known.items() if row.status in SETTLED}
        stale = {number for number in settled if known[number].record != names.get(number)}
        todo = [number for number in names if number not in settled or number in stale]
        return Opening(
            todo=tuple(todo),
            suspects=frozenset(
                number for number in todo if number in known and number not in stale and known[number].attempt
            ),
            stale=frozenset(stale),
            stale_failed=sum(known[number].status == ItemStatus.FAILED for number in stale),
        )

    def forget(self, opening: Opening) -> None:
        """Take back what is stale, and what it counted for."""
        if not opening.stale:
            return
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            session.execute(_items(delete(JobItemRow), self._job.job_id, opening.stale))
            counted = update(JobRow).where(JobRow.id == self._job.job_id)
            session.execute(
                counted.values(
                    progress_done=JobRow.progress_done - len(opening.stale),
                    progress_failed=JobRow.progress_failed - opening.stale_failed,
                ).execution_options(synchronize_session=False)
            )

    def begin(self, names: Mapping[int, str], *, total: int) -> set[int]:
        """Mark items as begun; returns those to work on, the others have ended two attempts and are parked."""
        self._job.checkpoint()
        rows = [
            {
                "job_id": self._job.job_id,
                "item": number,
                "payload": {"record": name},
                "status": ItemStatus.RUNNING,
                "attempt": 1,
            }
            for number, name in names.items()
        ]
        begun = insert(JobItemRow).values(rows)
        begun = begun.on_conflict_do_update(
            index_elements=["job_id", "item"],
            set_={"status": ItemStatus.RUNNING, "attempt": JobItemRow.attempt + 1, "payload": begun.excluded.payload},
        )
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            attempts = session.execute(begun.returning(JobItemRow.item, JobItemRow.attempt)).all()
        parked = [number for number, attempt in attempts if attempt > ITEM_ATTEMPTS]
        self.end([Ending(number=number, effect=lambda _: Ended(error=ITEM_PARKED)) for number in parked], total=total)
        return set(names) - set(parked)

    def give_back(self, numbers: Collection[int]) -> None:
        """Undo `begin`: these records were not to blame (a dependency is down, the worker stops)."""
        with suppress(LeaseLost, Cancelled, SQLAlchemyError), self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            returned = _items(update(JobItemRow), self._job.job_id, numbers)
            session.execute(returned.values(status=ItemStatus.QUEUED, attempt=func.greatest(JobItemRow.attempt - 1, 0)))

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
                progress_stage=self._stage,
                # Records that got done prove that the job does not just kill workers.
                max_attempts=self._job.attempt + CRASH_BUDGET,
            )
            .returning(JobRow.progress_done, JobRow.progress_total, JobRow.progress_failed)
            .execution_options(synchronize_session=False)
        ).one()
        data = {
            "done": row.progress_done,
            "total": row.progress_total,
            "failed": row.progress_failed,
            "stage": self._stage,
        }
        if time.monotonic() >= self._next_event_at or row.progress_done >= row.progress_total:
            self._next_event_at = time.monotonic() + _EVENT_EVERY_S
            events.append(session, self._job.job_id, EventType.PROGRESS, data)

    def drop_behind(self, total: int) -> None:
        """Delete items of records that the source does not have any more."""
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            gone = delete(JobItemRow).where(JobItemRow.job_id == self._job.job_id, JobItemRow.item >= total)
            session.execute(gone.execution_options(synchronize_session=False))

    def tally(self) -> dict[str, int]:
        """Return how many items ended in each way: by their result's `outcome`, or `failed`."""
        outcome = func.coalesce(JobItemRow.result["outcome"].astext, JobItemRow.status)
        query = select(outcome, func.count()).where(JobItemRow.job_id == self._job.job_id).group_by(outcome)
        with self._job.transaction() as session:
            return {str(name): count for name, count in session.execute(query)}


def _status(end: Ended) -> ItemStatus:
    return ItemStatus.SUCCEEDED if end.error is None else ItemStatus.FAILED


def _items(statement: Any, job_id: UUID, numbers: Collection[int]) -> Any:
    """Narrow a statement to some items of a job."""
    chosen = statement.where(JobItemRow.job_id == job_id, JobItemRow.item.in_(numbers))
    return chosen.execution_options(synchronize_session=False)
