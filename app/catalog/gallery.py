"""Images as a person looks for them: by labels, by words of their texts, answers and marks; counted; and the labels there are.

What is found is found as the role `markwise_search`, for which no policy stands between a word and its index (migration 0013);
it is told the tenant, and what it finds is read under the policies as ever. Called by the routes of images.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, any_, cast, func, select, union, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.paging import Page, follows
from app.catalog.tables import AnswerRow, ImageRow, MarkRow, MarkSetRow, TextRow
from app.errors import Unprocessable

_WORD = re.compile(r"\w+(?:[.\-/@]\w+)*")
_UUID = postgresql.UUID(as_uuid=True)
_TENANT = cast(func.current_setting("app.tenant"), _UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which images: those that carry all `labels`, and one text, answer or mark of which has all `words` (or what begins so)."""

    labels: Sequence[str] = ()
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """A label and how many images carry it."""

    label: str
    images: int


class Gallery:
    """SQL that looks for images."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def page(self, wanted: Wanted, *, limit: int, after: str | None) -> Page[Any]:
        """Return what lists show of a page of the wanted images, newest first; raises BadRequest for an unknown cursor, Unprocessable for no word."""
        query = _wanted(wanted)
        if after is not None:
            query = query.where(follows(self.session, ImageRow, after))
        query = query.order_by(ImageRow.created_at.desc(), ImageRow.id.desc()).limit(limit + 1)
        with _as_search(self.session):
            ids = list(self.session.scalars(query))
        found = ImageRepository(self.session).shown(ids[:limit])
        return Page(rows=found, next_cursor=str(found[-1].id) if len(ids) > limit and found else None)

    def total(self, wanted: Wanted) -> int:
        """Return how many images are wanted."""
        with _as_search(self.session):
            return self.session.scalar(select(func.count()).select_from(_wanted(wanted).subquery())) or 0

    def labels(self, *, prefix: str, limit: int, after: str | None) -> list[LabelCount]:
        """Return up to `limit` labels that begin with `prefix` and follow `after`, by name, each with its number of images."""
        each = select(func.unnest(ImageRow.labels).label("label")).where(ImageRow.tenant_id == _TENANT).subquery()
        # By bytes: a cursor in the order of one server's language would not hold on another.
        name = each.c.label.collate("C")
        query = select(each.c.label, func.count()).where(name.startswith(prefix, autoescape=True))
        if after is not None:
            query = query.where(name > after)
        with _as_search(self.session):
            rows = self.session.execute(query.group_by(each.c.label).order_by(name).limit(limit)).all()
        return [LabelCount(label=label, images=count) for label, count in rows]

    def relabel(self, ids: Sequence[UUID], *, add: Sequence[str], remove: Sequence[str]) -> int:
        """Add labels to images behind those they have, and take others away; returns how many images changed."""
        among = ImageRow.id == any_(cast(list(ids), ARRAY(_UUID)))
        changes = [(func.array_append(ImageRow.labels, one), ~ImageRow.labels.contains([one])) for one in add]
        changes += [(func.array_remove(ImageRow.labels, one), ImageRow.labels.contains([one])) for one in remove]
        changed: set[UUID] = set()
        for labels, due in changes:
            statement = update(ImageRow).where(among, due).values(labels=labels).returning(ImageRow.id)
            changed.update(self.session.scalars(statement.execution_options(synchronize_session=False)))
        return len(changed)


def _wanted(wanted: Wanted) -> Select[Any]:
    """The ids of the images, for the role that searches: nothing but the condition on the tenant keeps others' out."""
    query = select(ImageRow.id).where(ImageRow.tenant_id == _TENANT)
    if wanted.labels:
        query = query.where(ImageRow.labels.contains(list(wanted.labels)))
    return query if wanted.words is None else query.where(ImageRow.id.in_(_said(_query_of(wanted.words))))


def _query_of(words: str) -> ColumnElement[Any]:
    found = _WORD.findall(words)
    if not found:
        raise Unprocessable("`q` has no word to look for; give letters or digits.")
    return func.to_tsquery("simple", " & ".join(f"'{word}':*" for word in found))


def _said(query: ColumnElement[Any]) -> Any:
    """The images with a text, an answer or a mark that says it. The expressions are those of the indexes."""
    texts = select(TextRow.image_id).where(
        TextRow.tenant_id == _TENANT, func.words_of_text(TextRow.conversations).op("@@")(query)
    )
    answers = select(AnswerRow.image_id).where(
        AnswerRow.tenant_id == _TENANT, func.words_of_answer(AnswerRow.query, AnswerRow.body).op("@@")(query)
    )
    marks = (
        select(MarkSetRow.image_id)
        .join(MarkRow, MarkRow.mark_set_id == MarkSetRow.id)
        .where(
            MarkRow.tenant_id == _TENANT, MarkRow.text.is_not(None), func.words_of_mark(MarkRow.text).op("@@")(query)
        )
    )
    return union(texts, answers, marks)


@contextmanager
def _as_search(session: Session) -> Iterator[None]:
    connection = session.connection()
    connection.exec_driver_sql("SET LOCAL ROLE markwise_search")
    yield
    connection.exec_driver_sql("RESET ROLE")  # after an error the transaction is over, and the role with it
