"""Jobs as callers see them: read, listed, counted. Moving a job from state to state is `app.queue`'s business."""

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, defer

from app.catalog.paging import Page, page_after
from app.catalog.tables import JobEventRow, JobItemRow, JobRow
from app.errors import NotFound

HELP = "annotation.help"
"""Kind of a job that takes items of another job; lists of jobs leave it out unless it is asked for."""


class JobRepository:
    """Reading SQL about jobs, their items and events."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, job_id: UUID) -> JobRow:
        """Return one job as it is now; raises NotFound."""
        row = self.session.get(JobRow, job_id, populate_existing=True)
        if row is None:
            raise NotFound("There is no job with this id.")
        return row

    def list_after(
        self,
        *,
        limit: int,
        after: str | None,
        kind: str | None = None,
        status: str | None = None,
        orders: bool = True,
    ) -> Page[JobRow]:
        """Return a page of jobs, newest first, optionally of one kind or status; without `orders` their `payload` stays where it is."""
        query = select(JobRow).where(JobRow.kind != HELP if kind is None else JobRow.kind == kind)
        if status is not None:
            query = query.where(JobRow.status == status)
        if not orders:  # one may hold an accessibility tree of megabytes
            query = query.options(defer(JobRow.payload, raiseload=True))
        return page_after(self.session, query, JobRow, limit=limit, after=after)

    def items_after(self, job_id: UUID, *, limit: int, after: int, status: str | None = None) -> list[JobItemRow]:
        """Return up to `limit` items of a job whose number is greater than `after`, in order."""
        query = select(JobItemRow).where(JobItemRow.job_id == job_id, JobItemRow.item > after)
        if status is not None:
            query = query.where(JobItemRow.status == status)
        return list(self.session.scalars(query.order_by(JobItemRow.item).limit(limit)))

    def images_of_items(self, job_id: UUID) -> list[UUID]:
        """Return the images that the items of an import brought or found, each once, in the order of the items."""
        image_id = JobItemRow.result["image_id"].astext
        query = select(image_id).where(JobItemRow.job_id == job_id, image_id.is_not(None)).order_by(JobItemRow.item)
        return [UUID(value) for value in dict.fromkeys(self.session.scalars(query))]

    def events_after(self, job_id: UUID, *, after: int, limit: int = 500) -> list[JobEventRow]:
        """Return up to `limit` events of a job whose id is greater than `after`, in order."""
        query = select(JobEventRow).where(JobEventRow.job_id == job_id, JobEventRow.id > after)
        return list(self.session.scalars(query.order_by(JobEventRow.id).limit(limit)))

    def abandon(self, job_id: UUID) -> bool:
        """Delete a job that nobody waits for any more, whoever works on it; False if it has succeeded meanwhile.

        A worker that still computes finds its claim gone and commits nothing.
        """
        gone = delete(JobRow).where(JobRow.id == job_id, JobRow.status != "succeeded").returning(JobRow.id)
        return self.session.scalar(gone) is not None

    def forget(self, job_id: UUID) -> None:
        """Delete a finished job that must leave nothing behind (a synchronous call that met a dead dependency)."""
        self.session.execute(delete(JobRow).where(JobRow.id == job_id, JobRow.finished_at.is_not(None)))
