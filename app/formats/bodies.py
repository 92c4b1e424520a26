"""The JSON bodies of the contract, built from catalog rows.

Routes return them and workers store them (an answer is kept exactly as it is shown), so they live below both. The
typed dictionaries are also what the OpenAPI document is generated from. Field names are fixed by the contract.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired

from sqlalchemy import Row
from typing_extensions import TypedDict

from app.catalog.marks import StoredMark
from app.catalog.storage_use import StorageUse
from app.catalog.tables import (
    AuditEntryRow,
    EvaluationItemRow,
    EvaluationRow,
    ImageRow,
    JobEventRow,
    JobItemRow,
    JobRow,
    KeyRow,
    ModelVersionRow,
)
from app.formats.lookalikes import WarningBody, lookalikes_of, warnings


class ImageBody(TypedDict):
    """An image in the catalog."""

    id: str
    object: str
    sha256: str
    media_type: str
    width: int
    height: int
    bytes: int
    labels: list[str]
    created_at: str


class ImageOfMarkSet(TypedDict):
    """The part of an image that a mark set repeats."""

    id: str
    sha256: str
    width: int
    height: int


class SegmenterOfMarkSet(TypedDict):
    """Which segmenter made the regions, at which setting."""

    name: str
    version: str
    granularity: int | None


class MarkBody(TypedDict):
    """One mark with everything that is known of its region; `rle` comes with `?include=masks`.

    `lookalike`: the image itself shows something like a mark on this region, which is none of ours.
    """

    id: str
    region_id: str
    bbox_xyxy_px: list[float]
    bbox_xyxy_norm: list[float]
    point_xy_px: list[float]
    occluded: bool
    label_xy_px: list[float]
    label_bbox_xyxy_px: list[float]
    leader: list[float] | None
    area_px: int
    score: float
    text: str | None
    role: str | None
    lookalike: bool
    rle: NotRequired[dict[str, Any]]


class MarkSetBody(TypedDict):
    """An immutable set of marks on one image."""

    id: str
    object: str
    image: ImageOfMarkSet
    segmenter: SegmenterOfMarkSet
    style: str | dict[str, Any]
    marks: list[MarkBody]
    omitted_regions: int
    warnings: list[WarningBody]
    overlay_url: str
    cached: bool
    created_at: str


class ProgressBody(TypedDict):
    """How far a job is."""

    done: int
    total: int
    failed: int
    percent: float
    stage: str | None


class JobBody(TypedDict):
    """Durable work; `order`, what was asked for, comes with `?include=order`."""

    id: str
    object: str
    kind: str
    status: str
    progress: ProgressBody
    attempt: int
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    order: NotRequired[dict[str, Any]]


class JobItemBody(TypedDict):
    """One unit of a batch job."""

    item: int
    status: str
    attempt: int
    payload: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    finished_at: str | None


class ModelBody(TypedDict):
    """A model that can be asked: a registered version (checkpoint or adapter), the built-in one, or the configured server's.

    `recipe` is what was ordered, `origin` what it was made of: dataset with hash, base, code, libraries, licence note. `id`, `object`, `created` and `owned_by` are what OpenAI's clients read. The last two kinds have no version and no origin.
    """

    id: str
    object: str
    created: int
    owned_by: str
    name: str
    version: int | None
    kind: str
    base_id: str | None
    job_id: str | None
    recipe: dict[str, Any]
    metrics: dict[str, Any]
    origin: dict[str, Any]
    deployed: bool
    created_at: str | None


class EvaluationItemBody(TypedDict):
    """One question of an evaluation: the answer or why there is none, and how good it is by itself (0-1)."""

    position: int
    question_id: str
    answer: dict[str, Any] | None
    error: str | None
    grade: float | None


class EvaluationBody(TypedDict):
    """The measurement of one model version."""

    id: str
    object: str
    benchmark: str
    model_version_id: str | None
    dataset_id: str | None
    job_id: str | None
    settings: dict[str, Any]
    metrics: dict[str, Any]
    report: dict[str, Any]
    created_at: str
    items: NotRequired[list[EvaluationItemBody]]


class StorageBody(TypedDict):
    """What is stored and how much may be; null is no limit. Bytes are those of our copies, and of a tenant's marked pictures."""

    images: int
    bytes: int
    max_images: int | None
    max_bytes: int | None


class KeyBody(TypedDict):
    """An API key without its secret; `key` is there once, when it is made. `storage`: what it let in that is still there."""

    id: str
    object: str
    name: str
    prefix: str
    scopes: list[str]
    expires_at: str | None
    revoked_at: str | None
    created_at: str
    storage: StorageBody
    key: NotRequired[str]


def time_text(moment: datetime) -> str:
    """RFC 3339 with the offset."""
    return moment.isoformat()


def _maybe(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def image_body(row: ImageRow | Row[Any]) -> ImageBody:
    """The contract's image."""
    return {
        "id": str(row.id),
        "object": "image",
        "sha256": row.sha256,
        "media_type": row.media_type,
        "width": row.width,
        "height": row.height,
        "bytes": row.bytes,
        "labels": list(row.labels),
        "created_at": time_text(row.created_at),
    }


def mark_body(row: StoredMark, *, width: int, height: int, masks: bool = False, lookalike: bool = False) -> MarkBody:
    """The contract's mark; normalised boxes are fractions of the displayed image."""
    x0, y0, x1, y1 = row.bbox_xyxy_px
    body: MarkBody = {
        "id": row.mark,
        "region_id": row.region_id,
        "bbox_xyxy_px": row.bbox_xyxy_px,
        "bbox_xyxy_norm": [x0 / width, y0 / height, x1 / width, y1 / height],
        "point_xy_px": row.point_xy_px,
        "occluded": row.occluded,
        "label_xy_px": row.label_xy_px,
        "label_bbox_xyxy_px": row.label_bbox_xyxy_px,
        "leader": row.leader,
        "area_px": row.area_px,
        "score": row.score,
        "text": row.text,
        "role": row.role,
        "lookalike": lookalike,
    }
    if masks:
        body["rle"] = row.rle
    return body


def mark_set_body(row: Row[Any], marks: list[StoredMark], *, cached: bool, masks: bool = False) -> MarkSetBody:
    """The contract's mark set; `row` is what `MarkSetRepository.shown` returns."""
    width, height = row.width, row.height
    told = warnings(lookalikes_of(row.lookalikes), {mark.mark: mark.bbox_xyxy_px for mark in marks})
    painted = {warning["mark"] for warning in told}
    return {
        "id": str(row.id),
        "object": "mark_set",
        "image": {"id": str(row.image_id), "sha256": row.sha256, "width": width, "height": height},
        "segmenter": {
            "name": row.segmenter_name,
            "version": row.segmenter_version,
            "granularity": row.granularity,
        },
        "style": row.style,
        "marks": [
            mark_body(mark, width=width, height=height, masks=masks, lookalike=mark.mark in painted) for mark in marks
        ],
        "omitted_regions": row.omitted_regions,
        "warnings": told,
        "overlay_url": f"/v1/marksets/{row.id}/overlay.png",
        "cached": cached,
        "created_at": time_text(row.created_at),
    }


def job_body(row: JobRow, *, order: bool = False) -> JobBody:
    """The contract's job, with what was ordered where that is wanted."""
    total = row.progress_total
    percent = 100.0 if row.status == "succeeded" else (100.0 * row.progress_done / total if total else 0.0)
    body: JobBody = {
        "id": str(row.id),
        "object": "job",
        "kind": row.kind,
        "status": row.status,
        "progress": {
            "done": row.progress_done,
            "total": total,
            "failed": row.progress_failed,
            "percent": round(percent, 2),
            "stage": row.progress_stage,
        },
        "attempt": row.attempt,
        "usage": usage_body(row.usage),
        "error": row.error,
        "result": row.result,
        "created_at": time_text(row.created_at),
        "started_at": _maybe(row.started_at),
        "finished_at": _maybe(row.finished_at),
    }
    if order:
        body["order"] = dict(row.payload)
    return body


def usage_body(usage: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a job's teacher took: calls, tokens and, with prices, cost; None for a job that asked none."""
    shown = ("calls", "prompt_tokens", "completion_tokens", "cost")
    return {name: usage[name] for name in shown if name in usage} or None


def job_item_body(row: JobItemRow) -> JobItemBody:
    """One item of a job."""
    return {
        "item": row.item,
        "status": row.status,
        "attempt": row.attempt,
        "payload": row.payload,
        "result": row.result,
        "error": row.error,
        "finished_at": _maybe(row.finished_at),
    }


def job_event_data(row: JobEventRow) -> dict[str, Any]:
    """What an SSE event of a job carries besides its type and id."""
    return {**row.data, "created_at": time_text(row.created_at)}


def model_version_body(row: ModelVersionRow, *, deployed: bool) -> ModelBody:
    """The contract's model version."""
    return {
        "id": str(row.id),
        "object": "model",
        "created": int(row.created_at.timestamp()),
        "owned_by": "markwise",
        "name": row.name,
        "version": row.version,
        "kind": row.kind,
        "base_id": None if row.base_id is None else str(row.base_id),
        "job_id": None if row.job_id is None else str(row.job_id),
        "recipe": row.recipe,
        "metrics": row.metrics,
        "origin": row.origin,
        "deployed": deployed,
        "created_at": time_text(row.created_at),
    }


def standing_model_body(name: str, kind: str, *, owned_by: str, deployed: bool) -> ModelBody:
    """A model that is there without having been registered; its name is its id."""
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": owned_by,
        "name": name,
        "version": None,
        "kind": kind,
        "base_id": None,
        "job_id": None,
        "recipe": {},
        "metrics": {},
        "origin": {},
        "deployed": deployed,
        "created_at": None,
    }


def evaluation_body(row: EvaluationRow) -> EvaluationBody:
    """The contract's evaluation."""
    return {
        "id": str(row.id),
        "object": "evaluation",
        "benchmark": row.benchmark,
        "model_version_id": None if row.model_version_id is None else str(row.model_version_id),
        "dataset_id": None if row.dataset_id is None else str(row.dataset_id),
        "job_id": None if row.job_id is None else str(row.job_id),
        "settings": row.settings,
        "metrics": row.metrics,
        "report": row.report,
        "created_at": time_text(row.created_at),
    }


def evaluation_item_body(row: EvaluationItemRow) -> EvaluationItemBody:
    """The contract's item of an evaluation."""
    return {
        "position": row.position,
        "question_id": row.question_id,
        "answer": row.answer,
        "error": row.error,
        "grade": row.grade,
    }


def storage_body(use: StorageUse) -> StorageBody:
    """The contract's storage."""
    return {
        "images": use.images,
        "bytes": use.bytes,
        "max_images": use.max_images,
        "max_bytes": use.max_bytes,
    }


def key_body(row: KeyRow, use: StorageUse) -> KeyBody:
    """The contract's key, never with its secret."""
    return {
        "id": str(row.id),
        "object": "key",
        "name": row.name,
        "prefix": row.prefix,
        "scopes": list(row.scopes),
        "expires_at": _maybe(row.expires_at),
        "revoked_at": _maybe(row.revoked_at),
        "created_at": time_text(row.created_at),
        "storage": storage_body(use),
    }


class AuditBody(TypedDict):
    """One act; `actor` is a key by its name, `command line`, or `local` where no key is needed."""

    id: str
    object: str
    action: str
    subject: str
    actor: str
    key_id: str | None
    request_id: str | None
    detail: dict[str, Any]
    created_at: str


def audit_body(row: AuditEntryRow) -> AuditBody:
    """The contract's audit entry."""
    return {
        "id": str(row.id),
        "object": "audit_entry",
        "action": row.action,
        "subject": row.subject,
        "actor": row.actor,
        "key_id": None if row.key_id is None else str(row.key_id),
        "request_id": row.request_id,
        "detail": row.detail,
        "created_at": time_text(row.created_at),
    }
