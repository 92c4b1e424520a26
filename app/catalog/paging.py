"""Cursor paging over tenant tables: newest first by (created_at, id), which is stable while rows are added."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session

from app.catalog.declaring import TenantRow
from app.errors import BadRequest

Row = TypeVar("Row", bound=TenantRow)
_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """One page of rows; `next_cursor` is the `after` of the next one."""

    rows: list[Row]
    next_cursor: str | None


def page_after(session: Session, query: Select[Any], table: type[Row], *, limit: int, after: str | None) -> Page[Row]:
    """Return up to `limit` rows of `query` that follow the row `after`; raises BadRequest for an unknown cursor."""
    return _cut(session.scalars(_following(session, query, table, after).limit(limit + 1)), limit)


def columns_after(
    session: Session, query: Select[*tuple[Any, ...]], table: type[TenantRow], *, limit: int, after: str | None
) -> Page[Any]:
    """`page_after` for a query of single columns, `id` among them: an ORM object takes four times the CPU time of a plain row."""
    return _cut(session.execute(_following(session, query, table, after).limit(limit + 1)), limit)


def follows(session: Session, table: type[TenantRow], after: str) -> ColumnElement[bool]:
    """Return the condition that a row comes behind the one that a cursor names; raises BadRequest."""
    place = select(table.created_at, table.id).where(table.id == _cursor(after))
    anchor = session.execute(place).one_or_none()
    if anchor is None:
        raise BadRequest("The cursor in `after` names nothing in this list.")
    return tuple_(table.created_at, table.id) < tuple_(*anchor)


def _following(session: Session, query: _Query, table: type[TenantRow], after: str | None) -> _Query:
    if after is not None:
        query = query.where(follows(session, table, after))
    return query.order_by(table.created_at.desc(), table.id.desc())


def _cut(found: Iterable[Any], limit: int) -> Page[Any]:
    rows = list(found)
    return Page(rows=rows[:limit], next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None)


def _cursor(after: str) -> UUID:
    try:
        return UUID(after)
    except ValueError:
        raise BadRequest("The cursor in `after` is not one of ours.") from None
