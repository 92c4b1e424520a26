"""Deleting for good: an image with its pixels, what is past its time, blobs that no row names any more, and all that a tenant has.

Called by the route that deletes, by `markwise sweep`, `markwise forget` and by the housekeeping process. Rows go first and blobs after, so a crash in
between leaves a blob without a row, never a row without its blob; the next sweep finds it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import Engine

from app.catalog import emptying
from app.catalog.holdings import EXPIRING, Holdings
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.errors import Conflict, NotFound
from app.services import thumbnails
from app.settings import Settings
from app.storage.blobs import BlobCorrupt, BlobMissing, BlobStat, BlobStore, tenant_prefix

GRACE = timedelta(hours=24)
"""A blob is written before its row: one without a row may be somebody's who has not committed yet."""
_AT_ONCE = 500


@dataclass(slots=True, kw_only=True)
class Swept:
    """What went, or with `dry_run` would go."""

    rows: dict[str, int] = field(default_factory=dict)
    blobs: int = 0
    blob_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class Forgotten:
    """What became of images that were to be deleted: gone, not there in the first place, or kept for a reason."""

    deleted: list[UUID] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)
    kept: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """Deletes what belongs to one tenant."""

    engine: Engine
    blobs: BlobStore
    tenant_id: UUID

    def image(self, image_id: UUID) -> None:
        """Delete an image, its mark sets and answers, its pixels and marked pictures; raises NotFound or Conflict."""
        with transaction(self.engine, self.tenant_id) as session:
            images = ImageRepository(session)
            row = images.get(image_id)
            overlays = Holdings(session).overlays_of(image_id)
            keys = [row.blob_key, *overlays.values(), *thumbnails.keys_of(row, overlays)]
            images.delete(image_id)
        self._remove(keys)

    def images(self, ids: Sequence[UUID]) -> Forgotten:
        """Delete images one by one, each as `image` does; raises NotFound where there is none of them."""
        told = Forgotten()
        for image_id in dict.fromkeys(ids):
            try:
                self.image(image_id)
            except NotFound:
                told.missing.append(image_id)
            except Conflict as held:
                told.kept[image_id] = held.detail
            else:
                told.deleted.append(image_id)
        if not told.deleted and not told.kept:
            raise NotFound("There is no image with one of these ids.")
        return told

    def expire(self, keep: dict[str, timedelta]) -> dict[str, int]:
        """Delete the rows of each kind that are older than what `keep` says; returns how many of each."""
        gone = {}
        for kind, after in keep.items():
            gone[kind] = self._images(after) if kind == "images" else self._rows(kind, after)
        return gone

    def _rows(self, kind: str, after: timedelta) -> int:
        total = 0
        while True:
            # A few at a time: a delete of a year's rows would hold its locks for minutes.
            with transaction(self.engine, self.tenant_id) as session:
                gone = Holdings(session).expire(kind, after, limit=_AT_ONCE)
            total += gone
            if gone < _AT_ONCE:
                return total

    def _images(self, after: timedelta) -> int:
        total = 0
        while True:
            with transaction(self.engine, self.tenant_id) as session:
                old = Holdings(session).old_images(after, limit=_AT_ONCE)
            for image_id in old:
                try:
                    self.image(image_id)
                except NotFound:
                    continue  # somebody was quicker
            total += len(old)
            if len(old) < _AT_ONCE:
                return total

    def orphans(self, older_than: timedelta = GRACE) -> Iterator[BlobStat]:
        """Yield the tenant's blobs that no row names and that are older than the grace."""
        before = datetime.now(UTC) - older_than
        everything = self.blobs.list(tenant_prefix(str(self.tenant_id)))
        while some := list(islice(everything, _AT_ONCE)):
            old = {stat.key: stat for stat in some if stat.modified_at < before}
            if old:
                with transaction(self.engine, self.tenant_id) as session:
                    named = Holdings(session).named(old)
                yield from (stat for key, stat in old.items() if key not in named)

    def sweep(self, *, older_than: timedelta = GRACE, dry_run: bool = False) -> Swept:
        """Delete the orphans; with `dry_run` only count them."""
        swept = Swept()
        for stat in self.orphans(older_than):
            swept.blobs += 1
            swept.blob_bytes += stat.size_bytes
            if not dry_run:
                self._remove([stat.key])
        return swept

    def everything(self, owner: Engine, *, actor: str) -> Swept:
        """Delete all that the tenant has but its audit log, rows with an engine of the schema's owner; calling it again goes on."""
        rows = emptying.empty(owner, self.tenant_id, actor=actor)
        swept = self.sweep(older_than=timedelta(0))
        swept.rows = rows
        return swept

    def _remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                data = self.blobs.get(key)
            except BlobMissing:
                continue
            except BlobCorrupt:
                self.blobs.delete(key)  # nobody can want it back
                continue
            self.blobs.delete(key)
            # The same picture may have come in again meanwhile and found its blob still there. Whoever adds a row looks for the
            # blob after his commit, and we look for a row after deleting: one of us sees the other.
            with transaction(self.engine, self.tenant_id) as session:
                wanted = Holdings(session).named([key])
            if wanted:
                self.blobs.put_if_absent(key, data)


def keep_times(settings: Settings) -> dict[str, timedelta]:
    """What the operator wants deleted after how long; a kind that is kept for ever is not in it."""
    days = {
        "images": settings.keep_images_days,
        "answers": settings.keep_answers_days,
        "jobs": settings.keep_jobs_days,
        "webhook_deliveries": settings.keep_deliveries_days,
        "idempotency_keys": settings.keep_idempotency_keys_days,
    }
    if set(days) != {"images", *EXPIRING}:
        raise AssertionError("every kind that can expire has a setting")
    return {kind: timedelta(days=value) for kind, value in days.items() if value is not None}
