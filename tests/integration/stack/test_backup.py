"""A backup walked through: taken from an installation at work, restored into an empty one, and compared."""

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.catalog.session import app_engine, transaction
from app.imaging.decode import ImageDecoder
from app.imaging.fetch import FetchPolicy
from app.queue.outbox import enqueue
from app.services.images import ImageDoor
from app.services.keys import Callers, issue
from app.settings import Settings
from app.stack import backup
from app.stack.migrate import head
from app.storage.blobs import open_blobs
from tests.acceptance.service import drawn
from tests.conftest import execute


@pytest.fixture
def filled(database: Settings, engine: Engine, tenant: UUID, tmp_path: Path) -> tuple[Settings, str]:
    """Settings of an installation with three images, a running job and a key; and the key."""
    settings = database.model_copy(update={"blobs": str(tmp_path / "old")})
    decoder = ImageDecoder()
    door = ImageDoor(engine=engine, blobs=open_blobs(settings.blobs_place), decoder=decoder, fetch_policy=FetchPolicy())
    for number in range(3):
        door.from_bytes(tenant, drawn(number), ["kept"])
    decoder.close()
    with transaction(engine, tenant) as session:
        enqueue(session, kind="import.create", queue="batch", payload={"files": []}, items=[{"n": 1}])
        _, key = issue(session, "mine", ["mark"])
    execute(settings, "UPDATE jobs SET status = 'running', lease_until = now(), attempt = 1")
    return settings, key


@pytest.fixture
def elsewhere(empty_database: Settings, tmp_path: Path) -> Settings:
    return empty_database.model_copy(update={"blobs": str(tmp_path / "new")})


def contents(settings: Settings, tenant: UUID) -> dict[str, list[str]]:
    engine = app_engine(settings)
    try:
        with transaction(engine, tenant) as session:
            return {
                table: sorted(session.scalars(text(f"SELECT row_to_json({table})::text FROM {table}")))
                for table in ("images", "jobs", "job_items", "keys", "outbox", "tenants")
            }
    finally:
        engine.dispose()


def test_what_was_backed_up_is_there_again(filled, elsewhere, tenant, tmp_path) -> None:
    settings, key = filled
    manifest = backup.back_up(settings, tmp_path / "backup")
    assert (manifest.revision, manifest.blobs) == (head(), 3)
    before, restored = contents(settings, tenant), backup.restore(elsewhere, tmp_path / "backup")
    assert (restored.blobs, restored.new, restored.missing) == (3, 3, 0)
    after = contents(elsewhere, tenant)
    assert {name: rows for name, rows in after.items() if name != "tenants"} == {
        name: rows for name, rows in before.items() if name != "tenants"
    }
    assert set(before["tenants"]) <= set(after["tenants"])
    old, new = (open_blobs(each.blobs_place) for each in (settings, elsewhere))
    assert {stat.key: old.get(stat.key) for stat in old.list()} == {stat.key: new.get(stat.key) for stat in new.list()}
    engine = app_engine(elsewhere)
    assert Callers(engine, key_required=True).find(f"Bearer {key}").tenant_id == tenant
    with transaction(engine, None) as session:
        assert session.scalar(text("SELECT count(*) FROM images")) == 0  # row security came along
    engine.dispose()


def test_a_second_backup_copies_only_what_is_new(filled, tmp_path) -> None:
    settings, _ = filled
    backup.back_up(settings, tmp_path / "backup")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file()}
    open_blobs(settings.blobs_place).put_if_absent("t/new", b"1")
    seen: list[int] = []
    assert backup.back_up(settings, tmp_path / "backup", progress=seen.append).blobs == 4
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "backup" / "blobs").rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    assert len(seen) == 4


def test_a_missing_picture_is_said(filled, elsewhere, tmp_path) -> None:
    settings, _ = filled
    backup.back_up(settings, tmp_path / "backup")
    kept = open_blobs(tmp_path / "backup" / "blobs")
    kept.delete(next(iter(kept.list())).key)
    assert backup.restore(elsewhere, tmp_path / "backup").missing == 1


def test_a_damaged_picture_is_not_taken_for_the_picture(filled, elsewhere, tmp_path) -> None:
    """What an earlier backup has of it stays; without one the rest is kept, and it is named. A restore passes over it."""
    settings, _ = filled
    backup.back_up(settings, tmp_path / "earlier")
    stored, earlier = open_blobs(settings.blobs_place), open_blobs(tmp_path / "earlier" / "blobs")
    key = next(iter(stored.list())).key
    good = stored.get(key)
    (Path(settings.blobs_place) / key).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    backup.back_up(settings, tmp_path / "earlier")
    assert earlier.get(key) == good
    with pytest.raises(backup.BadBackup, match=rf"1 stored file.* {key}"):
        backup.back_up(settings, tmp_path / "fresh")
    assert backup.manifest_of(tmp_path / "fresh").blobs == 2
    (tmp_path / "earlier" / "blobs" / key).write_bytes(good + b"x")
    assert backup.restore(elsewhere, tmp_path / "earlier").missing == 1


def test_nothing_is_restored_over_something(filled, tmp_path) -> None:
    settings, _ = filled
    backup.back_up(settings, tmp_path / "backup")
    with pytest.raises(backup.BadBackup, match="not empty"):
        backup.restore(settings, tmp_path / "backup")


def test_a_backup_of_a_newer_version_is_refused(filled, elsewhere, tmp_path) -> None:
    settings, _ = filled
    backup.back_up(settings, tmp_path / "backup")
    manifest = tmp_path / "backup" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "revision": "9999"}))
    with pytest.raises(backup.BadBackup, match="newer"):
        backup.restore(elsewhere, tmp_path / "backup")


def test_no_folder_of_somebody_else_is_written_to(filled, tmp_path) -> None:
    settings, _ = filled
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.txt").write_text("mine")
    with pytest.raises(backup.BadBackup, match="something else"):
        backup.back_up(settings, tmp_path / "photos")
    with pytest.raises(backup.BadBackup, match="not a backup"):
        backup.restore(settings, tmp_path / "photos")
