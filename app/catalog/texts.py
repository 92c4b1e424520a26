"""Training texts: written once by a job, reviewed by people, selected for datasets."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import ImageFactsRow, ImageRow, TextRevisionRow, TextRow
from app.errors import NotFound
from models.mixtures.recipe import TextSelector
from models.writers.types import CHECKS_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person said of a text: the state, the words if they were edited, why, and who it was."""

    review: str
    conversations: list[Any] | None = None
    reason: str | None = None
    reviewer: str | None = None
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCount:
    """How the texts of one teacher and prompt were judged; `edited` are those whose words a person changed."""

    writer: str | None
    teacher: str | None
    prompt: str | None
    kind: str
    texts: int
    reviewed: int
    accepted: int
    edited: int
    rejected: int
    source_error: int
    imprecise: int
    wrong: int


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

    def selected_after(
        self, selector: TextSelector, after: tuple[datetime, UUID] | None, *, limit: int
    ) -> list[TextRow]:
        """Return up to `limit` texts of a recipe's part that follow the one at `after`, oldest first."""
        query = select(TextRow).where(*_conditions(selector))
        if after is not None:
            query = query.where(tuple_(TextRow.created_at, TextRow.id) > tuple_(*after))
        return list(self.session.scalars(query.order_by(TextRow.created_at, TextRow.id).limit(limit)))

    def more_than(self, selector: TextSelector, count: int) -> bool:
        """Whether a selector finds more than `count` texts."""
        found = select(TextRow.id).where(*_conditions(selector)).limit(count + 1).subquery()
        return (self.session.scalar(select(func.count()).select_from(found)) or 0) > count

    def at_revisions(self, wanted: Iterable[tuple[UUID, int]]) -> dict[UUID, tuple[TextRow, TextRevisionRow | None]]:
        """Return texts with the words they had at a revision: None where those are the text's own."""
        asked = dict(wanted)
        rows = {row.id: row for row in self.session.scalars(select(TextRow).where(TextRow.id.in_(asked)))}
        moved = [(row.id, asked[row.id]) for row in rows.values() if row.revision != asked[row.id]]
        pairs = tuple_(TextRevisionRow.text_id, TextRevisionRow.revision)
        kept = {r.text_id: r for r in self.session.scalars(select(TextRevisionRow).where(pairs.in_(moved)))}
        return {text_id: (row, kept.get(text_id)) for text_id, row in rows.items()}

    def review(self, text_id: UUID, verdict: Verdict) -> TextRow:
        """Record a person's verdict as the text's next revision; what the text was before stays in its history."""
        row = self.session.get(TextRow, text_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound("There is no text with this id.")
        if row.revision == 0:
            self._remember(row, Verdict(review=row.review))
        row.review = verdict.review
        row.reviewed_at = self.session.scalar(select(func.clock_timestamp()))
        row.revision += 1
        if verdict.conversations is not None:
            row.conversations = verdict.conversations
        self._remember(row, verdict)
        self.session.flush()
        return row

    def _remember(self, row: TextRow, verdict: Verdict) -> None:
        values = {
            "text_id": row.id,
            "revision": row.revision,
            "review": verdict.review,
            "reason": verdict.reason,
            "conversations": row.conversations,
            "reviewer": verdict.reviewer,
            "key_id": verdict.key_id,
            "created_at": row.created_at if row.revision == 0 else row.reviewed_at,
        }
        self.session.execute(insert(TextRevisionRow).values(values).on_conflict_do_nothing())

    def history(self, text_id: UUID) -> list[TextRevisionRow]:
        """Return every revision of a text, the one as written first; raises NotFound."""
        row = self.get(text_id)
        query = select(TextRevisionRow).where(TextRevisionRow.text_id == text_id).order_by(TextRevisionRow.revision)
        found = list(self.session.scalars(query))
        if found:
            return found
        first = TextRevisionRow(text_id=row.id, revision=0, review=row.review, conversations=row.conversations)
        first.created_at = row.created_at
        return [first]

    def review_counts(self, *, kind: str | None = None, job_id: UUID | None = None) -> list[ReviewCount]:
        """Count verdicts per writer, teacher, prompt and kind. Accepted after an edit counts as edited."""
        last = (
            select(TextRevisionRow.reason)
            .where(TextRevisionRow.text_id == TextRow.id, TextRevisionRow.revision == TextRow.revision)
            .scalar_subquery()
        )
        changed = exists().where(TextRevisionRow.text_id == TextRow.id, TextRevisionRow.review == "edited")
        keys = (
            TextRow.provenance["writer"].astext.label("writer"),
            TextRow.provenance["model"]["name"].astext.label("teacher"),
            TextRow.provenance["prompt_version"].astext.label("prompt"),
            TextRow.kind.label("kind"),
        )
        kept = TextRow.review.in_(("accepted", "edited"))
        counted = {
            "reviewed": TextRow.review != "unreviewed",
            "accepted": and_(kept, ~changed),
            "edited": and_(kept, changed),
            "rejected": TextRow.review == "rejected",
            **{name: and_(TextRow.review != "unreviewed", last == name) for name in _REASONS},
        }
        query = select(
            *keys, func.count().label("texts"), *(func.count().filter(rule).label(n) for n, rule in counted.items())
        )
        if kind is not None:
            query = query.where(TextRow.kind == kind)
        if job_id is not None:
            query = query.where(TextRow.job_id == job_id)
        rows = self.session.execute(query.group_by(*keys).order_by(*keys)).mappings()
        return [ReviewCount(**row) for row in rows]


_REASONS = ("source_error", "imprecise", "wrong")


def _conditions(selector: TextSelector) -> list[ColumnElement[bool]]:
    """The SQL of a selector. A text whose checks failed waits for a person's yes."""
    looked_at = TextRow.review.in_(("accepted", "edited"))
    failed = TextRow.provenance[CHECKS_FAILED]
    clean = or_(~TextRow.provenance.has_key(CHECKS_FAILED), failed.astext.in_(("[]", "null", "")))
    found: list[ColumnElement[bool]] = [TextRow.review.in_(selector.reviews), or_(clean, looked_at)]
    if selector.kinds:
        found.append(TextRow.kind.in_(selector.kinds))
    if selector.writers:
        found.append(TextRow.provenance["writer"].astext.in_(selector.writers))
    if selector.jobs:
        found.append(TextRow.job_id.in_([UUID(job) for job in selector.jobs]))
    if selector.tagged is not None:
        found.append(TextRow.tagged == selector.tagged)
    if selector.provenance:
        found.append(TextRow.provenance.contains(dict(selector.provenance)))
    if selector.labels:
        labelled = ImageRow.labels.overlap(list(selector.labels))
        found.append(exists().where(ImageRow.id == TextRow.image_id, labelled))
    if selector.sources:
        known = ImageFactsRow.source.in_(selector.sources)
        found.append(exists().where(ImageFactsRow.image_id == TextRow.image_id, known))
    return found
