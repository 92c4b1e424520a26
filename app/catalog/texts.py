"""Training texts and the datasets frozen from them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import DatasetItemRow, DatasetRow, TextRow
from app.errors import NotFound


class TextRepository:
    """All SQL about texts."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, text_id: UUID) -> TextRow:
        """Return one text; raises NotFound."""
        row = self.session.get(TextRow, text_id)
        if row is None:
            raise NotFound("There is no text with this id.")
        return row

    def add_once(self, values: dict[str, Any]) -> None:
        """Insert a text unless the same job item wrote it before (an item that is run again adds nothing)."""
        self.session.execute(insert(TextRow).values(**values).on_conflict_do_nothing())

    def count_of_job(self, job_id: UUID) -> int:
        """Return how many texts a job wrote."""
        return self.session.scalar(select(func.count()).select_from(TextRow).where(TextRow.job_id == job_id)) or 0

    def list_after(
        self,
        *,
        limit: int,
        after: str | None,
        kind: str | None = None,
        review: str | None = None,
        job_id: UUID | None = None,
    ) -> Page[TextRow]:
        """Return a page of texts, newest first, narrowed by kind, review state or the job that wrote them."""
        query = select(TextRow)
        if kind is not None:
            query = query.where(TextRow.kind == kind)
        if review is not None:
            query = query.where(TextRow.review == review)
        if job_id is not None:
            query = query.where(TextRow.job_id == job_id)
        return page_after(self.session, query, TextRow, limit=limit, after=after)

    def select_for_dataset(
        self, *, kinds: list[str] | None, job_ids: list[UUID] | None, reviews: list[str], limit: int | None
    ) -> list[TextRow]:
        """Return the texts that a dataset recipe takes, oldest first."""
        query = select(TextRow).where(TextRow.review.in_(reviews))
        if kinds is not None:
            query = query.where(TextRow.kind.in_(kinds))
        if job_ids is not None:
            query = query.where(TextRow.job_id.in_(job_ids))
        return list(self.session.scalars(query.order_by(TextRow.created_at, TextRow.id).limit(limit)))

    def review(self, text_id: UUID, state: str, conversations: list[Any] | None) -> TextRow:
        """Record a person's verdict; an edit replaces the conversations."""
        row = self.get(text_id)
        row.review = state
        row.reviewed_at = self.session.scalar(select(func.clock_timestamp()))
        if conversations is not None:
            row.conversations = conversations
        self.session.flush()
        return row


class DatasetRepository:
    """All SQL about datasets."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, dataset_id: UUID) -> DatasetRow:
        """Return one dataset; raises NotFound."""
        row = self.session.get(DatasetRow, dataset_id)
        if row is None:
            raise NotFound("There is no dataset with this id.")
        return row

    def next_version(self, name: str) -> int:
        """Return the version that the next dataset of this name gets."""
        return (self.session.scalar(select(func.max(DatasetRow.version)).where(DatasetRow.name == name)) or 0) + 1

    def add(self, row: DatasetRow, texts: list[TextRow]) -> DatasetRow:
        """Insert a dataset with its items in the order given."""
        self.session.add(row)
        self.session.flush()
        if texts:
            values = [
                {"dataset_id": row.id, "position": i, "text_id": text.id, "conversations": text.conversations}
                for i, text in enumerate(texts)
            ]
            self.session.execute(insert(DatasetItemRow), values)
        return row

    def list_after(self, *, limit: int, after: str | None) -> Page[DatasetRow]:
        """Return a page of datasets, newest first."""
        return page_after(self.session, select(DatasetRow), DatasetRow, limit=limit, after=after)

    def items(self, dataset_id: UUID) -> Iterator[tuple[DatasetItemRow, TextRow]]:
        """Yield the items of a dataset in order, each with the text it was frozen from."""
        query = (
            select(DatasetItemRow, TextRow)
            .join(TextRow, TextRow.id == DatasetItemRow.text_id)
            .where(DatasetItemRow.dataset_id == dataset_id)
            .order_by(DatasetItemRow.position)
        )
        yield from self.session.execute(query).tuples()
