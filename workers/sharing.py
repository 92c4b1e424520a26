"""The items of one job, taken and finished in batches by several workers at once; every item's effect is applied once.

An item belongs to the claim that took it (`holder_id`, `holder_attempt`) and goes back into the pile when that claim is no
longer live. An effect commits only while its item is still held, together with the item's state, the job's progress and
what it cost. Locks are taken in one order: own job, shared job, items. Knows nothing of what the items are about.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.catalog.tables import JobItemRow, JobRow
from app.queue import events, leases
from app.queue.leases import NOW
from app.queue.spending import Budget, Spent
from app.queue.tasks import EventType, ItemStatus, JobStatus
from workers.context import CRASH_BUDGET, Item, JobContext

_EVENT_EVERY_S = 0.25
_OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
_HOLDER = aliased(JobRow)


class OrderOver(Exception):
    """The shared job has been cancelled, or has ended: a helper has nothing more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of one item: an outcome for the effect to write, an error, or back into the pile for later."""

    item: Item
    outcome: Any = None
    error: dict[str, Any] | None = None
    again: bool = False
    spent: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pile:
    """What a look at the shared items found: those taken now; where there is a budget, how many are in work anywhere.

    `broke` says that the budget allows no further item.
    """

    taken: tuple[Item, ...]
    in_work: int = 0
    broke: bool = False


Write = Callable[[Session, Sequence[Finished]], Mapping[int, dict[str, Any]]]
"""The effect of a batch, inside the transaction: returns each item's result by its number."""


class SharedItems:
    """The items of `order_id`, seen from one claim: the owner's, whose job it is, or a helper's."""

    def __init__(self, job: JobContext, order_id: UUID) -> None:
        self._job, self._order_id = job, order_id
        self._owner = job.job_id == order_id
        self._next_event_at = 0.0

    def take(self, most: int, *, budget: Budget | None = None, begun: int = 0) -> Pile:
        """Take up to `most` items, those of dead claims first, and no more than `budget` pays for.

        With `begun` only such as were begun that often, to no end. Raises OrderOver, LeaseLost, Cancelled.
        """
        self._job.checkpoint()
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            order = self._order(session)
            in_work = self._in_work(session) if budget else 0
            paid = budget.room(order.usage, in_work) if budget else None
            room = most if paid is None else min(most, paid)
            numbers = self._free(session, room, begun) if room > 0 else []
            taken = self._claim(session, numbers) if numbers else ()
        return Pile(taken=taken, in_work=in_work + len(taken), broke=paid == 0)

    def left(self) -> int:
        """Return how many items nobody has finished, in work or not."""
        with self._job.transaction() as session:
            return self._count(session, ItemStatus.QUEUED, ItemStatus.RUNNING)

    def settle(self, finished: Sequence[Finished], write: Write, *, prices: Mapping[str, float] | None = None) -> int:
        """Apply the effects of those items that are still ours, in one transaction; return how many that were.

        An item that was taken over or cancelled meanwhile is dropped; what it cost counts all the same. Raises OrderOver,
        LeaseLost, Cancelled, and whatever `write` raises: then nothing of the batch is kept.
        """
        with self._job.transaction() as session:
            leases.hold(session, self._job.claim)
            order = self._order(session, lock=True)
            ours = self._still_ours(session, [one.item.number for one in finished])
            kept = [one for one in finished if one.item.number in ours]
            results = write(session, [one for one in kept if one.error is None and not one.again])
            self._end(session, kept, results)
            self._report(session, order, kept, sum((one.spent for one in finished), Spent()), prices)
        return len(kept)

    def _order(self, session: Session, *, lock: bool = False) -> Row[Any]:
        query = select(JobRow.status, JobRow.usage, JobRow.attempt).where(JobRow.id == self._order_id)
        row = session.execute(query.with_for_update() if lock else query).one_or_none()
        # A job that its budget has stopped still takes what was paid for already.
        if row is None or (not self._owner and row.status not in (*_OPEN, *((JobStatus.FAILED,) if lock else ()))):
            raise OrderOver
        return row

    def _count(self, session: Session, *statuses: ItemStatus) -> int:
        query = select(func.count()).where(JobItemRow.job_id == self._order_id, JobItemRow.status.in_(statuses))
        return session.scalar(query) or 0

    def _in_work(self, session: Session) -> int:
        running = (JobItemRow.job_id == self._order_id, JobItemRow.status == ItemStatus.RUNNING)
        return session.scalar(select(func.count()).where(*running, _is_live())) or 0

    def _free(self, session: Session, most: int, begun: int) -> list[int]:
        of_order = (JobItemRow.job_id == self._order_id, *((JobItemRow.attempt >= begun,) if begun else ()))
        left_behind = (JobItemRow.status == ItemStatus.RUNNING, or_(JobItemRow.holder_id.is_(None), ~_is_live()))
        numbers: list[int] = []
        for wanted in (left_behind, (JobItemRow.status == ItemStatus.QUEUED,)):
            query = select(JobItemRow.item).where(*of_order, *wanted).order_by(JobItemRow.item)
            limited = query.limit(most - len(numbers)).with_for_update(skip_locked=True, of=JobItemRow)
            numbers += session.scalars(limited)
            if len(numbers) >= most:
                break
        return numbers

    def _claim(self, session: Session, numbers: Sequence[int]) -> tuple[Item, ...]:
        claim = self._job.claim
        rows = session.execute(
            update(JobItemRow)
            .where(JobItemRow.job_id == self._order_id, JobItemRow.item.in_(numbers))
            .values(
                status=ItemStatus.RUNNING,
                attempt=JobItemRow.attempt + 1,
                holder_id=claim.job_id,
                holder_attempt=claim.attempt,
            )
            .returning(JobItemRow.item, JobItemRow.payload, JobItemRow.attempt)
            .execution_options(synchronize_session=False)
        ).all()
        items = (Item(number=row.item, payload=row.payload, attempt=row.attempt) for row in rows)
        return tuple(sorted(items, key=lambda item: item.number))

    def _still_ours(self, session: Session, numbers: Sequence[int]) -> set[int]:
        claim = self._job.claim
        held = select(JobItemRow.item).where(
            JobItemRow.job_id == self._order_id,
            JobItemRow.item.in_(numbers),
            JobItemRow.status == ItemStatus.RUNNING,
            JobItemRow.holder_id == claim.job_id,
            JobItemRow.holder_attempt == claim.attempt,
        )
        return set(session.scalars(held.order_by(JobItemRow.item).with_for_update()))

    def _end(self, session: Session, kept: Sequence[Finished], results: Mapping[int, dict[str, Any]]) -> None:
        ended = [
            {
                "of_job": self._order_id,
                "of_item": one.item.number,
                "status": _status(one).value,
                "attempt": max(0, one.item.attempt - one.again),
                "result": results.get(one.item.number),
                "error": one.error,
                "again": one.again,
            }
            for one in kept
        ]
        table = JobItemRow.__table__
        statement = (
            update(table)  # type: ignore[arg-type]  # the table behind a declared class is a Table
            .where(table.c.job_id == bindparam("of_job"), table.c.item == bindparam("of_item"))
            .values(
                status=bindparam("status"),
                attempt=bindparam("attempt"),
                result=bindparam("result"),
                error=bindparam("error"),
                finished_at=case((bindparam("again"), None), else_=NOW),
                holder_id=None,
                holder_attempt=None,
            )
        )
        if ended:
            session.connection().execute(statement, ended)

    def _report(
        self,
        session: Session,
        order: Row[Any],
        kept: Sequence[Finished],
        spent: Spent,
        prices: Mapping[str, float] | None,
    ) -> None:
        done = sum(not one.again for one in kept)
        row = session.execute(
            update(JobRow)
            .where(JobRow.id == self._order_id)
            .values(
                progress_done=JobRow.progress_done + done,
                progress_failed=JobRow.progress_failed + sum(one.error is not None for one in kept),
                usage=spent.added_to(order.usage, prices) if spent else order.usage,
                # An item that got done proves that the job does not just kill workers.
                **({"max_attempts": order.attempt + CRASH_BUDGET} if done else {}),
            )
            .returning(JobRow.progress_done, JobRow.progress_total, JobRow.progress_failed)
            .execution_options(synchronize_session=False)
        ).one()
        if done and not self._owner:
            own = update(JobRow).where(JobRow.id == self._job.job_id)
            session.execute(own.values(max_attempts=self._job.attempt + CRASH_BUDGET))
        if row.progress_done >= row.progress_total or time.monotonic() >= self._next_event_at:
            self._next_event_at = time.monotonic() + _EVENT_EVERY_S
            data = {"done": row.progress_done, "total": row.progress_total, "failed": row.progress_failed}
            events.append(session, self._order_id, EventType.PROGRESS, {**data, "stage": None})


def _is_live() -> Any:
    """Whether the claim that took an item still holds its job."""
    return exists().where(
        _HOLDER.id == JobItemRow.holder_id,
        _HOLDER.attempt == JobItemRow.holder_attempt,
        _HOLDER.status.in_((JobStatus.RUNNING, JobStatus.CANCELLING)),
        _HOLDER.lease_until > NOW,
    )


def _status(one: Finished) -> ItemStatus:
    if one.again:
        return ItemStatus.QUEUED
    return ItemStatus.SUCCEEDED if one.error is None else ItemStatus.FAILED
