"""The JSON bodies of texts, their history and their statistics, and of datasets, built from catalog rows.

As `bodies` does it for the rest of the contract; field names are fixed by it.
"""

from typing import Any

from typing_extensions import TypedDict

from app.catalog.tables import DatasetItemRow, DatasetRow, TextRevisionRow, TextRow
from app.catalog.texts import ReviewCount
from app.formats.bodies import time_text
from app.formats.llava import cut_of
from models.mixtures.fit import Outdated


class OutdatedBody(TypedDict):
    """The marks of a text were corrected after it was written: the newest ones, and whether the text still fits them."""

    newest_mark_set_id: str
    fits: bool


class TextBody(TypedDict):
    """A generated training text."""

    id: str
    object: str
    kind: str
    image_id: str
    mark_set_id: str | None
    job_id: str
    tagged: bool
    conversations: list[Any]
    provenance: dict[str, Any]
    review: str
    reviewed_at: str | None
    revision: int
    outdated: OutdatedBody | None
    created_at: str


class TextRevisionBody(TypedDict):
    """What a text was at one point of its history; revision 0 is what the teacher wrote."""

    revision: int
    review: str
    reason: str | None
    reviewer: str | None
    conversations: list[Any]
    created_at: str


class ReviewCountBody(TypedDict):
    """How the texts of one teacher and prompt were judged; rates are shares of those that were reviewed."""

    writer: str | None
    teacher: str | None
    prompt: str | None
    kind: str
    texts: int
    reviewed: int
    accepted: int
    edited: int
    rejected: int
    reasons: dict[str, int]
    agreement_rate: float | None
    edit_rate: float | None
    rejection_rate: float | None


class ReviewStatisticsBody(TypedDict):
    """Verdicts per teacher and prompt."""

    object: str
    data: list[ReviewCountBody]


class DatasetBody(TypedDict):
    """A versioned mixture of texts. `content_sha256` is of the samples of its LLaVA export, a compact line of JSON each."""

    id: str
    object: str
    name: str
    version: int
    content_sha256: str
    recipe: dict[str, Any]
    statistics: dict[str, Any]
    created_at: str


class DatasetItemBody(TypedDict):
    """One text of a dataset at its place."""

    position: int
    text_id: str | None
    revision: int | None
    sample_id: str
    image: str | None
    image_url: str | None
    kind: str
    review: str | None
    part: str
    stage: str
    conversations: list[Any]


class DatasetPreviewBody(TypedDict):
    """What a dataset would be, were it built now: its statistics and hash, and samples from all over it, long ones cut."""

    object: str
    recipe: dict[str, Any]
    statistics: dict[str, Any]
    content_sha256: str
    samples: list[DatasetItemBody]


def text_body(row: TextRow, outdated: Outdated | None = None) -> TextBody:
    """The contract's text, and what became of its marks."""
    return {
        "id": str(row.id),
        "object": "text",
        "kind": row.kind,
        "image_id": str(row.image_id),
        "mark_set_id": None if row.mark_set_id is None else str(row.mark_set_id),
        "job_id": str(row.job_id),
        "tagged": row.tagged,
        "conversations": row.conversations,
        "provenance": row.provenance,
        "review": row.review,
        "reviewed_at": None if row.reviewed_at is None else time_text(row.reviewed_at),
        "revision": row.revision,
        "outdated": None if outdated is None else {"newest_mark_set_id": outdated.newest, "fits": outdated.fits},
        "created_at": time_text(row.created_at),
    }


def text_revision_body(row: TextRevisionRow) -> TextRevisionBody:
    """One revision of a text."""
    return {
        "revision": row.revision,
        "review": row.review,
        "reason": row.reason,
        "reviewer": row.reviewer,
        "conversations": row.conversations,
        "created_at": time_text(row.created_at),
    }


def review_statistics_body(counts: list[ReviewCount]) -> ReviewStatisticsBody:
    """Verdicts with their rates."""
    return {"object": "review_statistics", "data": [_review_count_body(count) for count in counts]}


def _review_count_body(count: ReviewCount) -> ReviewCountBody:
    def share(part: int) -> float | None:
        return round(part / count.reviewed, 4) if count.reviewed else None

    return {
        "writer": count.writer,
        "teacher": count.teacher,
        "prompt": count.prompt,
        "kind": count.kind,
        "texts": count.texts,
        "reviewed": count.reviewed,
        "accepted": count.accepted,
        "edited": count.edited,
        "rejected": count.rejected,
        "reasons": {"source_error": count.source_error, "imprecise": count.imprecise, "wrong": count.wrong},
        "agreement_rate": share(count.accepted),
        "edit_rate": share(count.edited),
        "rejection_rate": share(count.rejected),
    }


def dataset_body(row: DatasetRow) -> DatasetBody:
    """The contract's dataset; it is sealed, so it has version and hash."""
    return {
        "id": str(row.id),
        "object": "dataset",
        "name": row.name,
        "version": row.version or 0,
        "content_sha256": row.content_sha256 or "",
        "recipe": row.recipe,
        "statistics": row.statistics,
        "created_at": time_text(row.created_at),
    }


def image_url(row: DatasetItemRow) -> str | None:
    """Where the picture of an item is served; None for text alone and for pictures of files."""
    if row.mark_set_id is not None:
        return f"/v1/marksets/{row.mark_set_id}/overlay.png"
    if row.image_id is None:
        return None
    part = cut_of(row.image or "")
    return f"/v1/images/{row.image_id}/content" + ("" if part is None else f"?cut={','.join(map(str, part))}")


def dataset_item_body(row: DatasetItemRow) -> DatasetItemBody:
    """One text of a dataset."""
    return {
        "position": row.position,
        "text_id": None if row.text_id is None else str(row.text_id),
        "revision": row.revision,
        "sample_id": row.sample_id,
        "image": row.image,
        "image_url": image_url(row),
        "kind": row.kind,
        "review": row.review,
        "part": row.part,
        "stage": row.stage,
        "conversations": row.conversations,
    }
