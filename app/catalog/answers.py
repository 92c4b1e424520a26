"""Answers in the catalog: what a model said to one query, with the body that the contract shows."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import AnswerRow
from app.errors import NotFound


class AnswerRepository:
    """All SQL about answers."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, answer_id: UUID) -> AnswerRow:
        """Return one answer; raises NotFound."""
        row = self.session.get(AnswerRow, answer_id)
        if row is None:
            raise NotFound("There is no answer with this id.")
        return row

    def add(self, row: AnswerRow) -> AnswerRow:
        """Insert an answer and return it with its id and time."""
        self.session.add(row)
        self.session.flush()
        return row

    def list_after(self, *, limit: int, after: str | None, mark_set_id: UUID | None = None) -> Page[AnswerRow]:
        """Return a page of answers, newest first, optionally about one mark set."""
        query = select(AnswerRow)
        if mark_set_id is not None:
            query = query.where(AnswerRow.mark_set_id == mark_set_id)
        return page_after(self.session, query, AnswerRow, limit=limit, after=after)
