"""A backup is a folder: a dump of the catalog, every blob it names, and a manifest. Restored into an empty installation.

The dump is taken first. Blobs never change and are written before their rows, so copying them afterwards misses none that the dump
names, except what was deleted meanwhile, while the service goes on. A second backup into the same folder copies only new blobs. Jobs
that ran when the dump was taken are begun again by the reaper after a restore. Used by `markwise backup` and `markwise restore`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from app.catalog.holdings import Holdings
from app.catalog.keys import KeyRepository
from app.catalog.session import app_engine, owner_engine, transaction
from app.settings import Settings
from app.stack import postgres_server
from app.stack.migrate import current, known_revisions, migrate
from app.storage.blobs import BlobCorrupt, BlobMissing, BlobStore, open_blobs

_DUMP, _MANIFEST, _BLOBS = "catalog.dump", "manifest.json", "blobs"
FORMAT = 1
Progress = Callable[[int], None]
"""Told the number of bytes of each blob that is dealt with."""


class BadBackup(Exception):
    """The backup cannot be written or restored; one sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says about itself."""

    format: int
    revision: str
    created_at: str
    blobs: int
    blob_bytes: int


@dataclass(slots=True, kw_only=True)
class Copied:
    """What a restore or a backup moved; `missing` are pictures of the catalog without a blob, `damaged` keys of blobs that were left out."""

    blobs: int = 0
    blob_bytes: int = 0
    new: int = 0
    missing: int = 0
    damaged: list[str] = field(default_factory=list)


def back_up(settings: Settings, folder: Path, *, progress: Progress = lambda _: None) -> Manifest:
    """Write or refresh the backup in `folder`; raises BadBackup, ClientFailed or BlobError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()) and not (folder / _MANIFEST).exists():
        raise BadBackup(f"{folder} holds something else; name a new folder or an earlier backup")
    revision = _revision(settings)
    if revision is None:
        raise BadBackup("there is no catalog yet; run `markwise migrate` or `markwise serve` first")
    postgres_server.dump(_owner(settings), folder / _DUMP)
    source = open_blobs(settings.blobs_place)
    try:
        copied = _copy(source, open_blobs(folder / _BLOBS), progress)
    finally:
        source.close()
    manifest = Manifest(
        format=FORMAT,
        revision=revision,
        created_at=datetime.now(UTC).isoformat(),
        blobs=copied.blobs,
        blob_bytes=copied.blob_bytes,
    )
    (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=2) + "\n")
    if copied.damaged:
        raise BadBackup(
            f"the backup is written, but {len(copied.damaged)} stored file(s) are damaged and not in it: {', '.join(copied.damaged[:5])};"
            " an earlier backup may have them whole"
        )
    return manifest


def manifest_of(folder: Path) -> Manifest:
    """Read what a backup says about itself; raises BadBackup."""
    try:
        found: dict[str, Any] = json.loads((folder / _MANIFEST).read_text())
        manifest = Manifest(**found)
    except (OSError, ValueError, TypeError):
        raise BadBackup(f"{folder} is not a backup: it needs a {_MANIFEST} of `markwise backup`") from None
    if manifest.format != FORMAT or manifest.revision not in known_revisions():
        raise BadBackup(
            f"the backup has schema {manifest.revision}, which this version does not know; use a newer Markwise"
        )
    return manifest


def restore(settings: Settings, folder: Path, *, progress: Progress = lambda _: None) -> Copied:
    """Fill an empty installation from a backup and bring it to the newest schema; raises BadBackup, ClientFailed, BlobError.

    Empty is a catalog without an image, a job, a key: anything else would be mixed with what comes.
    """
    manifest_of(folder)
    _make_empty(settings)
    postgres_server.restore(_owner(settings), folder / _DUMP)
    migrate(settings)
    target = open_blobs(settings.blobs_place)
    try:
        copied = _copy(open_blobs(folder / _BLOBS), target, progress)
        copied.missing = sum(not target.exists(key) for key in _pictures(settings))
    finally:
        target.close()
    return copied


def _copy(source: BlobStore, target: BlobStore, progress: Progress) -> Copied:
    copied = Copied()
    for stat in source.list():
        if not target.exists(stat.key):
            try:
                data = source.get(stat.key)
            except BlobMissing:
                continue  # deleted since it was listed
            except BlobCorrupt:
                copied.damaged.append(stat.key)
                continue
            copied.new += target.put_if_absent(stat.key, data)
        copied.blobs += 1
        copied.blob_bytes += stat.size_bytes
        progress(stat.size_bytes)
    return copied


def _owner(settings: Settings) -> str:
    if settings.database_url is None:
        raise BadBackup("a backup needs the owner's URL: set MARKWISE_DATABASE_URL")
    return settings.database_url


def _revision(settings: Settings) -> str | None:
    engine = owner_engine(_owner(settings))
    try:
        with engine.connect() as connection:
            return current(connection)
    finally:
        engine.dispose()


def _make_empty(settings: Settings) -> None:
    """Leave a database without tables in which the roles exist; raises BadBackup where there is something to lose."""
    # Roles belong to the server, not to the dump; migrating makes them where they are new.
    migrate(settings)
    engine = app_engine(settings, name="markwise-restore", pool_size=1)
    try:
        if any(_rows(engine)):
            raise BadBackup("the catalog is not empty; restore into a new MARKWISE_HOME or a new database")
    finally:
        engine.dispose()
    owner = owner_engine(_owner(settings))
    try:
        with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    finally:
        owner.dispose()


def _rows(engine: Engine) -> Iterator[bool]:
    for tenant_id in _tenants(engine):
        with transaction(engine, tenant_id) as session:
            yield Holdings(session).anything()


def _pictures(settings: Settings) -> Iterator[str]:
    engine = app_engine(settings, name="markwise-restore", pool_size=1)
    try:
        for tenant_id in _tenants(engine):
            with transaction(engine, tenant_id) as session:
                yield from Holdings(session).pictures()
    finally:
        engine.dispose()


def _tenants(engine: Engine) -> list[Any]:
    with transaction(engine, None) as session:
        return list(KeyRepository(session).tenant_ids())
