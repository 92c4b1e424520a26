"""What is deleted is gone, rows and blobs; what somebody still needs stays; nothing is left over, whoever comes in between."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text

from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageRow, JobRow, MarkSetRow, TextRow
from app.errors import NotFound
from app.imaging.decode import ImageDecoder
from app.imaging.fetch import FetchPolicy
from app.queue.outbox import enqueue
from app.services.forgetting import Forgetting, keep_times
from app.services.images import ImageDoor
from app.services.imports import store_upload
from app.settings import Settings
from app.storage.blobs import BlobStore, model_key, open_blobs, overlay_key
from tests.acceptance.service import drawn

NOW = timedelta(0)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blobs(tmp_path)


@pytest.fixture
def door(engine: Engine, blobs: BlobStore):
    decoder = ImageDecoder()
    yield ImageDoor(engine=engine, blobs=blobs, decoder=decoder, fetch_policy=FetchPolicy())
    decoder.close()


@pytest.fixture
def forgetting(engine: Engine, blobs: BlobStore, tenant: UUID) -> Forgetting:
    return Forgetting(engine=engine, blobs=blobs, tenant_id=tenant)


def keys(blobs: BlobStore) -> list[str]:
    return [stat.key for stat in blobs.list()]


def marked(engine: Engine, blobs: BlobStore, tenant: UUID, image: ImageRow) -> str:
    key = overlay_key(str(tenant), f"{image.id}-0", "markwise", "png")
    blobs.put_if_absent(key, b"overlay")
    row = {"segmenter_name": "provided", "segmenter_version": "1", "style": {}, "settings": {}, "omitted_regions": 0}
    with transaction(engine, tenant) as session:
        session.add(MarkSetRow(image_id=image.id, settings_sha256="s", overlay_blob_key=key, **row))
    return key


def test_a_deleted_image_leaves_no_blob(engine, blobs, tenant, door, forgetting) -> None:
    image, _ = door.from_bytes(tenant, drawn(1), [])
    marked(engine, blobs, tenant, image)
    assert len(keys(blobs)) == 2
    forgetting.image(image.id)
    assert keys(blobs) == []
    with pytest.raises(NotFound):
        forgetting.image(image.id)


def test_a_picture_that_comes_in_again_while_it_is_deleted_keeps_its_pixels(
    engine, blobs, tenant, door, forgetting, monkeypatch
) -> None:
    """Between the deleted row and the deleted blob somebody posts the same picture, and finds its blob still there."""
    image, _ = door.from_bytes(tenant, drawn(1), [])
    delete = type(blobs).delete

    def slow(store: BlobStore, key: str) -> None:
        door.from_bytes(tenant, drawn(1), [])
        delete(store, key)

    monkeypatch.setattr(type(blobs), "delete", slow)
    forgetting.image(image.id)
    with transaction(engine, tenant) as session:
        (row,) = session.scalars(select(ImageRow)).all()
    assert blobs.exists(row.blob_key)


def test_a_picture_whose_blob_goes_before_its_row_is_there_stores_it_again(
    engine, blobs, tenant, door, monkeypatch
) -> None:
    add = ImageRepository.add

    def slow(images: ImageRepository, row: ImageRow):
        blobs.delete(row.blob_key)
        return add(images, row)

    monkeypatch.setattr(ImageRepository, "add", slow)
    image, _ = door.from_bytes(tenant, drawn(1), [])
    assert blobs.exists(image.blob_key)


def test_the_sweep_takes_orphans_and_nothing_else(engine, blobs, tenant, other_tenant, door, forgetting) -> None:
    image, _ = door.from_bytes(tenant, drawn(1), [])
    kept = [image.blob_key, marked(engine, blobs, tenant, image)]
    other, _ = door.from_bytes(other_tenant, drawn(1), [])
    upload = store_upload(blobs, tenant, b"in use")
    with transaction(engine, tenant) as session:
        enqueue(session, kind="import.create", queue="batch", payload={"files": [upload]})
    kept += [other.blob_key, upload["blob"], f"{tenant}/something-else/a"]
    blobs.put_if_absent(f"{tenant}/something-else/a", b"not ours to judge")
    orphans = [
        f"{tenant}/images/{'1' * 64}",
        overlay_key(str(tenant), "gone", "markwise", "png"),
        model_key(str(tenant), "00000000-0000-0000-0000-000000000000", "model.safetensors"),
        store_upload(blobs, tenant, b"never ordered")["blob"],
    ]
    for key in orphans:
        blobs.put_if_absent(key, b"12345678")
    seen = forgetting.sweep(older_than=NOW, dry_run=True)
    assert (seen.blobs, sorted(keys(blobs))) == (4, sorted(kept + orphans))
    swept = forgetting.sweep(older_than=NOW)
    assert (swept.blobs, swept.blob_bytes) == (4, 8 * 3 + len(b"never ordered"))
    assert sorted(keys(blobs)) == sorted(kept)
    assert forgetting.sweep(older_than=NOW).blobs == 0


def test_a_young_blob_is_left_alone(blobs, tenant, forgetting) -> None:
    blobs.put_if_absent(f"{tenant}/images/{'1' * 64}", b"x")
    assert forgetting.sweep().blobs == 0


def test_old_images_go_unless_something_was_made_of_them(engine, blobs, tenant, door, forgetting) -> None:
    plain, labelled, written = (door.from_bytes(tenant, drawn(n), ["keep"] * (n == 2))[0] for n in (1, 2, 3))
    with transaction(engine, tenant) as session:
        job = enqueue(session, kind="annotation.create", queue="batch", payload={})
        facts = {"kind": "listing", "tagged": True, "conversations": [], "provenance": {}}
        session.add(TextRow(image_id=written.id, job_id=job.id, job_item=0, ordinal=0, **facts))
    assert forgetting.expire({"images": timedelta(days=1)}) == {"images": 0}
    assert forgetting.expire({"images": NOW}) == {"images": 1}
    assert sorted(keys(blobs)) == sorted([labelled.blob_key, written.blob_key])
    assert not blobs.exists(plain.blob_key)


def test_finished_jobs_go_unless_something_comes_from_them(engine, tenant, door, forgetting) -> None:
    image, _ = door.from_bytes(tenant, drawn(1), [])
    with transaction(engine, tenant) as session:
        origin, plain, waiting = (
            enqueue(session, kind="annotation.create", queue="batch", payload={}) for _ in range(3)
        )
        facts = {"kind": "listing", "tagged": True, "conversations": [], "provenance": {}}
        session.add(TextRow(image_id=image.id, job_id=origin.id, job_item=0, ordinal=0, **facts))
        for job in (origin, plain):
            done = "UPDATE jobs SET status = 'succeeded', finished_at = clock_timestamp() WHERE id = :id"
            session.execute(text(done), {"id": job.id})
    assert forgetting.expire({"jobs": timedelta(days=1)}) == {"jobs": 0}
    assert forgetting.expire({"jobs": NOW}) == {"jobs": 1}
    with transaction(engine, tenant) as session:
        assert set(session.scalars(select(JobRow.id))) == {origin.id, waiting.id}


def test_remembered_posts_go_after_a_day_but_not_while_they_run(engine, tenant, forgetting) -> None:
    with transaction(engine, tenant) as session:
        for key, until in (("old", "- interval '1 second'"), ("running", "+ interval '1 hour'")):
            session.execute(
                text(
                    "INSERT INTO idempotency_keys (route, key, fingerprint, locked_until)"
                    f" VALUES ('r', '{key}', 'f', clock_timestamp() {until})"
                )
            )
    assert forgetting.expire({"idempotency_keys": NOW}) == {"idempotency_keys": 1}
    assert forgetting.expire({"idempotency_keys": NOW}) == {"idempotency_keys": 0}


def test_only_what_the_operator_set_expires() -> None:
    assert keep_times(Settings()) == {"webhook_deliveries": timedelta(days=30), "idempotency_keys": timedelta(days=1)}
    assert keep_times(Settings(keep_images_days=7))["images"] == timedelta(days=7)
