"""Datasets: written unseen by a job, then sealed under the next version of their name, and read in order.

The database refuses every change of what is sealed (migration 0004); this module does not try.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import DatasetItemRow, DatasetRow, JobRow
from app.errors import Conflict, NotFound

_LOCK_NAME = text("SELECT pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant') || :name, 0))")
_PAGE = 500


class DatasetRepository:
    """All SQL about datasets."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, dataset_id: UUID) -> DatasetRow:
        """Return one sealed dataset; raises NotFound."""
        row = self.session.get(DatasetRow, dataset_id)
        if row is None or row.sealed_at is None:
            raise NotFound("There is no dataset with this id.")
        return row

    def list_after(self, *, limit: int, after: str | None, name: str | None = None) -> Page[DatasetRow]:
        """Return a page of datasets, newest first, optionally the versions of one name."""
        query = select(DatasetRow).where(DatasetRow.sealed_at.is_not(None))
        if name is not None:
            query = query.where(DatasetRow.name == name)
        return page_after(self.session, query, DatasetRow, limit=limit, after=after)

    def begin(self, *, name: str, recipe: dict[str, Any], job_id: UUID) -> UUID:
        """Insert a dataset that nobody sees yet and return its id."""
        row = DatasetRow(name=name, recipe=recipe, statistics={}, job_id=job_id)
        self.session.add(row)
        self.session.flush()
        return row.id

    def add_items(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert items of a dataset that is not sealed."""
        if rows:
            self.session.execute(insert(DatasetItemRow), list(rows))

    def seal(self, dataset_id: UUID, *, items: int, content_sha256: str, statistics: dict[str, Any]) -> DatasetRow:
        """Give a written dataset its version and hash; raises Conflict unless exactly `items` items are there.

        The advisory lock lets builds of one name take their versions one after the other, until the transaction ends.
        """
        row = self.session.get(DatasetRow, dataset_id, with_for_update=True)
        if row is None:
            raise NotFound("The dataset was taken away while it was written.")
        count = select(func.count()).select_from(DatasetItemRow).where(DatasetItemRow.dataset_id == dataset_id)
        if self.session.scalar(count) != items:
            raise Conflict("The dataset does not hold what was written.")
        self.session.execute(_LOCK_NAME, {"name": f"dataset {row.name}"})
        newest = select(func.max(DatasetRow.version)).where(DatasetRow.name == row.name)
        values = {
            "version": (self.session.scalar(newest) or 0) + 1,
            "content_sha256": content_sha256,
            "statistics": statistics,
            "sealed_at": func.clock_timestamp(),
        }
        self.session.execute(update(DatasetRow).where(DatasetRow.id == dataset_id).values(values))
        self.session.refresh(row)
        return row

    def left_behind(self, job_id: UUID) -> list[UUID]:
        """Return unsealed datasets of this job's earlier attempts, and of jobs that have ended."""
        ended = select(JobRow.id).where(JobRow.finished_at.is_not(None))
        query = select(DatasetRow.id).where(DatasetRow.sealed_at.is_(None))
        return list(self.session.scalars(query.where((DatasetRow.job_id == job_id) | DatasetRow.job_id.in_(ended))))

    def drop_unsealed(self, dataset_id: UUID, *, most: int) -> bool:
        """Delete an unsealed dataset, at most so many items at once; True when all of it is gone."""
        some = select(DatasetItemRow.position).where(DatasetItemRow.dataset_id == dataset_id).limit(most)
        gone = self.session.execute(
            delete(DatasetItemRow)
            .where(DatasetItemRow.dataset_id == dataset_id, DatasetItemRow.position.in_(some))
            .returning(DatasetItemRow.position)
        )
        if len(gone.all()) == most:
            return False
        self.session.execute(delete(DatasetRow).where(DatasetRow.id == dataset_id, DatasetRow.sealed_at.is_(None)))
        return True

    def items_after(
        self, dataset_id: UUID, after: int = -1, *, limit: int = _PAGE, before: int | None = None
    ) -> list[DatasetItemRow]:
        """Return up to `limit` items behind a position, and in front of another, in order."""
        query = select(DatasetItemRow).where(DatasetItemRow.dataset_id == dataset_id, DatasetItemRow.position > after)
        if before is not None:
            query = query.where(DatasetItemRow.position < before)
        return list(self.session.scalars(query.order_by(DatasetItemRow.position).limit(limit)))

    def part_with_pictures(self, dataset_id: UUID, parts: Sequence[str]) -> str | None:
        """Return one of these parts in which a sample has a picture, if there is one."""
        query = select(DatasetItemRow.part).where(
            DatasetItemRow.dataset_id == dataset_id, DatasetItemRow.part.in_(parts), DatasetItemRow.image.is_not(None)
        )
        return self.session.scalar(query.limit(1))

    def items(self, dataset_id: UUID) -> Iterator[DatasetItemRow]:
        """Yield all items in order, a page at a time; for datasets that a caller may hold a transaction over."""
        after = -1
        while rows := self.items_after(dataset_id, after):
            yield from rows
            after = rows[-1].position
