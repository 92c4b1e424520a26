"""Which blobs the rows of a tenant name, and which rows are past their time.

Called by `app.services.forgetting`. Of the layout of blob keys it knows only what each folder of a tenant belongs to.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, type_coerce
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.catalog.tables import (
    AnswerRow,
    CandidateRow,
    DatasetRow,
    EvaluationRow,
    IdempotencyRow,
    ImageFactsRow,
    ImageRow,
    JobRow,
    KeyRow,
    MarkSetRow,
    ModelVersionRow,
    TextRow,
    WebhookDeliveryRow,
    WebhookRow,
)

NOW = func.clock_timestamp()
_FINISHED = ("succeeded", "failed", "cancelled")


class Holdings:
    """All SQL about what may go, within one tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def named(self, keys: Collection[str]) -> set[str]:
        """Return those of `keys` (`tenant/folder/...`) that a row names; what lies in a folder we do not know counts as named."""
        by_folder: dict[str, set[str]] = {}
        for key in keys:
            by_folder.setdefault(key.split("/")[1], set()).add(key)
        finders: Mapping[str, Callable[[set[str]], set[str]]] = {
            "images": self._images,
            "overlays": self._overlays,
            "thumbnails": self._thumbnails,
            "models": self._versions,
            "adapters": self._versions,
            "imports": self._imports,
        }
        return set().union(*(finders.get(folder, set)(some) for folder, some in by_folder.items()))

    def _images(self, keys: set[str]) -> set[str]:
        return set(self.session.scalars(select(ImageRow.blob_key).where(ImageRow.blob_key.in_(keys))))

    def _overlays(self, keys: set[str]) -> set[str]:
        column = MarkSetRow.overlay_blob_key
        return set(self.session.scalars(select(column).where(column.in_(keys))))

    def _thumbnails(self, keys: set[str]) -> set[str]:
        of = {key: key.split("/")[2] for key in keys}
        digests = {name for name in of.values() if len(name) == 64}
        sets = [UUID(name) for name in set(of.values()) - digests]
        known = set(self.session.scalars(select(ImageRow.sha256).where(ImageRow.sha256.in_(digests))))
        known.update(map(str, self.session.scalars(select(MarkSetRow.id).where(MarkSetRow.id.in_(sets)))))
        return {key for key, name in of.items() if name in known}

    def _versions(self, keys: set[str]) -> set[str]:
        known = {str(found) for found in self.session.scalars(select(ModelVersionRow.id))}
        return {key for key in keys if key.split("/")[2] in known}

    def _imports(self, keys: set[str]) -> set[str]:
        return {key for key in keys if self._is_imported(key)}

    def _is_imported(self, key: str) -> bool:
        # Finished imports too: a retry reads the file again.
        names_it = JobRow.payload["files"].contains(type_coerce([{"blob": key}], JSONB))
        return self.session.scalar(select(exists().where(JobRow.kind == "import.create", names_it))) is True

    def pictures(self) -> Iterator[str]:
        """Yield the keys of all images and marked pictures."""
        for column in (ImageRow.blob_key, MarkSetRow.overlay_blob_key):
            yield from self.session.scalars(select(column).execution_options(yield_per=10_000))

    def anything(self) -> bool:
        """Whether the tenant has an image, a job, a key or a webhook."""
        return any(
            self.session.scalar(select(exists().select_from(table))) for table in (ImageRow, JobRow, KeyRow, WebhookRow)
        )

    def overlays_of(self, image_id: UUID) -> dict[UUID, str]:
        """Return {mark set: key of its marked picture} of an image."""
        query = select(MarkSetRow.id, MarkSetRow.overlay_blob_key).where(MarkSetRow.image_id == image_id)
        return {row.id: row.overlay_blob_key for row in self.session.execute(query)}

    def old_images(self, after: timedelta, *, limit: int) -> list[UUID]:
        """Return images that nothing was made of: no label, no imported facts, no training text; older than `after`."""
        used = (exists().where(table.image_id == ImageRow.id) for table in (TextRow, ImageFactsRow))
        old = select(ImageRow.id).where(ImageRow.created_at < NOW - after, func.cardinality(ImageRow.labels) == 0)
        return list(self.session.scalars(old.where(*(~use for use in used)).order_by(ImageRow.created_at).limit(limit)))

    def expire(self, kind: str, after: timedelta, *, limit: int) -> int:
        """Delete up to `limit` rows of a kind in `EXPIRING` that are older than `after`; returns how many there were."""
        deletion = EXPIRING[kind](after, limit).execution_options(synchronize_session=False)
        return len(self.session.execute(deletion).all())


def _answers(after: timedelta, limit: int) -> Any:
    chosen = select(AnswerRow.id).where(AnswerRow.created_at < NOW - after).limit(limit)
    return _by_id(AnswerRow, chosen)


def _jobs(after: timedelta, limit: int) -> Any:
    """Finished jobs from which nothing comes: the origin of a text or a version is part of it, a ranking is its job's."""
    origins = (TextRow, DatasetRow, EvaluationRow, ModelVersionRow, CandidateRow)
    origin = (exists().where(table.job_id == JobRow.id) for table in origins)
    old = select(JobRow.id).where(JobRow.status.in_(_FINISHED), JobRow.finished_at < NOW - after)
    return _by_id(JobRow, old.where(*(~use for use in origin)).limit(limit))


def _deliveries(after: timedelta, limit: int) -> Any:
    settled = WebhookDeliveryRow.status != "queued"
    return _by_id(
        WebhookDeliveryRow,
        select(WebhookDeliveryRow.id).where(settled, WebhookDeliveryRow.created_at < NOW - after).limit(limit),
    )


def _idempotency_keys(after: timedelta, limit: int) -> Any:
    old = IdempotencyRow.created_at < NOW - after
    chosen = select(IdempotencyRow.route, IdempotencyRow.key).where(old, IdempotencyRow.locked_until < NOW).limit(limit)
    rows = chosen.subquery()
    return (
        delete(IdempotencyRow)
        .where(IdempotencyRow.route == rows.c.route, IdempotencyRow.key == rows.c.key)
        .returning(IdempotencyRow.key)
    )


def _by_id(table: Any, chosen: Any) -> Any:
    return delete(table).where(table.id.in_(chosen)).returning(table.id)


EXPIRING: Mapping[str, Callable[[timedelta, int], Any]] = {
    "answers": _answers,
    "jobs": _jobs,
    "webhook_deliveries": _deliveries,
    "idempotency_keys": _idempotency_keys,
}
"""What is deleted row by row; images go with their blobs, see `old_images`."""
