"""No more is stored than may be, however many come at once; what is deleted gives its room back, and what was refused leaves nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.catalog.session import transaction
from app.catalog.storage_use import StorageUse, StorageUses
from app.catalog.tables import MarkSetRow
from app.errors import StorageFull
from app.imaging.decode import ImageDecoder
from app.imaging.fetch import FetchPolicy
from app.services.forgetting import Forgetting
from app.services.images import ImageDoor
from app.services.keys import issue, limit
from app.storage.blobs import BlobStore, open_blobs
from tests.acceptance.service import drawn

PICTURES = [drawn(seed, (64, 48)) for seed in range(24)]
RACERS = 12


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return open_blobs(tmp_path)


@pytest.fixture
def door(engine: Engine, blobs: BlobStore) -> Iterator[ImageDoor]:
    decoder = ImageDecoder()
    yield ImageDoor(engine=engine, blobs=blobs, decoder=decoder, fetch_policy=FetchPolicy())
    decoder.close()


@pytest.fixture
def key_id(engine: Engine, tenant: UUID) -> UUID:
    with transaction(engine, tenant) as session:
        return issue(session, "camera", ["mark"])[0].id


def stored(engine: Engine, tenant: UUID, key_id: UUID | None = None) -> StorageUse:
    with transaction(engine, tenant) as session:
        uses = StorageUses(session)
        return uses.of_tenant() if key_id is None else uses.of_keys([key_id])[key_id]


def allow(engine: Engine, tenant: UUID, key_id: UUID | None, **limits: int) -> None:
    with transaction(engine, tenant) as session:
        limit(session, key_id, limits)


def race(door: ImageDoor, tenant: UUID, key_id: UUID | None, pictures: list[bytes]) -> list[bool]:
    """Who was let in."""

    def post(picture: bytes) -> bool:
        try:
            door.from_bytes(tenant, picture, [], key_id=key_id)
        except StorageFull:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(post, pictures))


@pytest.mark.parametrize("whose", ["tenant", "key"])
def test_of_many_that_race_for_the_last_places_no_one_too_many_comes_in(
    engine, tenant, blobs, door, key_id, whose
) -> None:
    owner = key_id if whose == "key" else None
    allow(engine, tenant, owner, max_images=5)
    let_in = race(door, tenant, key_id, PICTURES)
    use = stored(engine, tenant, owner)
    assert (sum(let_in), use.images) == (5, 5)
    blobs_there = list(blobs.list())
    assert (len(blobs_there), use.bytes) == (5, sum(stat.size_bytes for stat in blobs_there))


def test_bytes_are_those_of_the_copies_and_are_not_passed(engine, tenant, blobs, door) -> None:
    door.from_bytes(tenant, PICTURES[0], [])
    size = next(iter(blobs.list())).size_bytes
    assert stored(engine, tenant) == StorageUse(images=1, bytes=size)
    allow(engine, tenant, None, max_bytes=4 * size)
    race(door, tenant, None, PICTURES)
    use = stored(engine, tenant)
    assert use.bytes <= 4 * size < use.bytes + 2 * size
    assert use.bytes == sum(stat.size_bytes for stat in blobs.list())


def test_the_same_picture_from_many_counts_once(engine, tenant, door, key_id) -> None:
    assert all(race(door, tenant, key_id, [PICTURES[0]] * RACERS))
    assert stored(engine, tenant).images == stored(engine, tenant, key_id).images == 1


def test_what_is_deleted_gives_its_room_back(engine, tenant, blobs, door, key_id) -> None:
    allow(engine, tenant, key_id, max_images=2)
    image, _ = door.from_bytes(tenant, PICTURES[0], [], key_id=key_id)
    door.from_bytes(tenant, PICTURES[1], [], key_id=key_id)
    made = {"segmenter_name": "provided", "segmenter_version": "1", "style": {}, "settings": {}, "omitted_regions": 0}
    before = stored(engine, tenant).bytes
    with transaction(engine, tenant) as session:
        session.add(MarkSetRow(image_id=image.id, settings_sha256="s", overlay_blob_key="o", overlay_bytes=77, **made))
    assert stored(engine, tenant).bytes == before + 77
    with pytest.raises(StorageFull, match="2 of 2 images"):
        door.from_bytes(tenant, PICTURES[2], [], key_id=key_id)
    Forgetting(engine=engine, blobs=blobs, tenant_id=tenant).image(image.id)
    assert stored(engine, tenant).images == stored(engine, tenant, key_id).images == 1
    assert stored(engine, tenant).bytes == stored(engine, tenant, key_id).bytes
    door.from_bytes(tenant, PICTURES[2], [], key_id=key_id)


def test_a_picture_that_is_known_comes_in_over_the_limit(engine, tenant, door) -> None:
    known, _ = door.from_bytes(tenant, PICTURES[0], [])
    allow(engine, tenant, None, max_images=0)
    again, new = door.from_bytes(tenant, PICTURES[0], ["seen"])
    assert (again.id, new) == (known.id, False)


def test_another_tenant_has_room_of_its_own(engine, tenant, other_tenant, door) -> None:
    allow(engine, tenant, None, max_images=0)
    door.from_bytes(other_tenant, PICTURES[0], [])
    with transaction(engine, other_tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM storage_use WHERE owner = tenant_id")) == 1


def test_the_api_sets_limits_shows_use_and_refuses(client: TestClient) -> None:
    made = client.post("/v1/keys", json={"name": "camera", "scopes": ["mark"], "max_images": 1}).json()
    assert made["storage"] == {"images": 0, "bytes": 0, "max_images": 1, "max_bytes": None}
    camera = {"Authorization": f"Bearer {made['key']}"}
    assert client.post("/v1/images", files={"file": PICTURES[0]}, headers=camera).status_code == 201
    refused = client.post("/v1/images", files={"file": PICTURES[1]}, headers=camera)
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (403, "storage.full")
    assert problem["detail"] == "Of this key 1 of 1 images are stored. Delete images, or have the limit raised."
    assert "Retry-After" not in refused.headers
    raised = client.patch(f"/v1/keys/{made['id']}", json={"max_images": None, "max_bytes": 10**9}).json()
    assert (raised["storage"]["max_images"], raised["storage"]["max_bytes"]) == (None, 10**9)
    assert client.post("/v1/images", files={"file": PICTURES[1]}, headers=camera).status_code == 201
    listed = {key["name"]: key["storage"]["images"] for key in client.get("/v1/keys").json()["data"]}
    assert listed == {"camera": 2, "ops": 0}
    assert client.get("/v1/storage", headers=camera).json()["images"] == 2
    actions = [entry["action"] for entry in client.get("/v1/audit").json()["data"]]
    assert actions == ["key.limited", "key.created"]
    assert client.patch(f"/v1/keys/{made['id']}", json={"max_images": 9}, headers=camera).status_code == 403


def test_prometheus_sees_what_all_tenants_store(client: TestClient, engine: Engine, tenant: UUID) -> None:
    client.post("/v1/images", files={"file": PICTURES[0]})
    allow(engine, tenant, None, max_images=4)
    shown = client.get("/metrics").text
    assert "markwise_stored_images 1.0" in shown
    assert "markwise_fullest_quota 0.25" in shown
