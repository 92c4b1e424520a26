"""Cursor paging over tenant tables: newest first by (created_at, id), which is stable while rows are added."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import Session

from app.catalog.declaring import TenantRow
from app.errors import BadRequest

Row = TypeVar("Row", bound=TenantRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """One page of rows; `next_cursor` is the `after` of the next one."""

    rows: list[Row]
    next_cursor: str | None


def page_after(session: Session, query: Select[Any], table: type[Row], *, limit: int, after: str | None) -> Page[Row]:
    """Return up to `limit` rows of `query` that follow the row `after`; raises BadRequest for an unknown cursor."""
    if after is not None:
        anchor = anchor_of(session, table, after)
        query = query.where(tuple_(table.created_at, table.id) < tuple_(anchor.created_at, anchor.id))
    rows = list(session.scalars(query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows=rows, next_cursor=str(rows[-1].id) if more else None)


def anchor_of(session: Session, table: type[Row], after: str) -> Row:
    """Return the row that a cursor names; raises BadRequest."""
    anchor = session.get(table, _cursor(after))
    if anchor is None:
        raise BadRequest("The cursor in `after` names nothing in this list.")
    return anchor


def _cursor(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        raise BadRequest("The cursor in `after` is not one of ours.") from None
