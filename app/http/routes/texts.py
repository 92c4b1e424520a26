"""/v1/texts: training texts with their provenance, and what people say about them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.catalog.texts import TextRepository
from app.formats.text_bodies import (
    ReviewStatisticsBody,
    TextBody,
    TextRevisionBody,
    review_statistics_body,
    text_body,
    text_revision_body,
)
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx
from app.http.lists import ListBody, list_body
from app.http.schemas.datasets import ReviewIn
from app.services import reviews
from app.services.freshness import outdated

router = APIRouter(tags=["learning"])

Word = Annotated[str | None, Query(max_length=100)]


@router.get("/v1/texts")
def list_texts(
    tx: Tx,
    _: AnyCaller,
    page: PageOf,
    kind: Word = None,
    review: Word = None,
    job_id: Annotated[UUID | None, Query()] = None,
) -> ListBody[TextBody]:
    """List texts, newest first; one whose marks were corrected since says so."""
    rows = TextRepository(tx).list_after(limit=page.limit, after=page.after, kind=kind, review=review, job_id=job_id)
    stale = outdated(tx, rows.rows)
    return list_body(rows, lambda row: text_body(row, stale.get(row.id)))


@router.get("/v1/texts/statistics")
def show_statistics(
    tx: Tx, _: AnyCaller, kind: Word = None, job_id: Annotated[UUID | None, Query()] = None
) -> ReviewStatisticsBody:
    """Show how often people accept, edit and reject what each teacher writes with each prompt."""
    return review_statistics_body(TextRepository(tx).review_counts(kind=kind, job_id=job_id))


@router.get("/v1/texts/{text_id}")
def get_text(tx: Tx, _: AnyCaller, text_id: UUID) -> TextBody:
    """Show one text with its provenance."""
    row = TextRepository(tx).get(text_id)
    return text_body(row, outdated(tx, [row]).get(row.id))


@router.get("/v1/texts/{text_id}/revisions")
def list_revisions(tx: Tx, _: AnyCaller, text_id: UUID) -> ListBody[TextRevisionBody]:
    """List what a text was, from the words of its teacher to the last verdict: who, when, why."""
    rows = TextRepository(tx).history(text_id)
    return {"data": [text_revision_body(row) for row in rows], "has_more": False, "next_cursor": None}


@router.patch("/v1/texts/{text_id}")
def review_text(tx: Tx, caller: JobsCaller, text_id: UUID, body: ReviewIn) -> TextBody:
    """Accept, edit or reject a text. The words before an edit stay in its history; datasets that hold them do not change."""
    row = reviews.review(tx, text_id, body.model_dump(), key_id=caller.key_id)
    return text_body(row, outdated(tx, [row]).get(row.id))
