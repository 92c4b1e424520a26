"""Images are found by what they carry and by what was said of them, counted and labelled; their small copies come and go with them."""

import io
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Engine, select, text

from app.catalog.gallery import Gallery, Wanted
from app.catalog.holdings import Holdings
from app.catalog.session import transaction
from app.catalog.tables import AnswerRow, MarkRow, MarkSetRow, TextRow
from app.queue.outbox import enqueue
from app.storage.blobs import open_blobs, overlay_key
from tests.acceptance.service import drawn

PLACES = ("bbox_xyxy_px", "point_xy_px", "label_xy_px", "label_bbox_xyxy_px")


def posted(client: TestClient, seed: int, *labels: str, size_wh: tuple[int, int] = (320, 240)) -> str:
    response = client.post("/v1/images", files={"file": drawn(seed, size_wh)}, data={"labels": _json(labels)})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def _json(labels: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{one}"' for one in labels) + "]"


def found(client: TestClient, **query: Any) -> list[str]:
    response = client.get("/v1/images", params=query)
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["data"]]


def say(
    engine: Engine, tenant: UUID, image_id: str, *, written: str = "", answer: str = "", mark: str | None = None
) -> None:
    """Write a text and an answer about an image, and a mark that shows a text."""
    with transaction(engine, tenant) as session:
        job = enqueue(session, kind="annotation.create", queue="batch", payload={}, items=[{}])
        turns = [{"from": "human", "value": "<image>\nWhat is there?"}, {"from": "gpt", "value": written}]
        about = {"image_id": UUID(image_id)}
        session.add(
            TextRow(**about, job_id=job.id, job_item=0, ordinal=0, kind="listing", tagged=False, conversations=turns,
                    provenance={})
        )  # fmt: skip
        session.add(AnswerRow(**about, task="ask", query="Which one?", model_name="m", body={"text": answer}))
        made = MarkSetRow(
            **about, segmenter_name="provided", segmenter_version="1", style={}, settings={}, settings_sha256=image_id,
            omitted_regions=0, overlay_blob_key="none",
        )  # fmt: skip
        session.add(made)
        session.flush()
        place: dict[str, Any] = {name: [0.0] for name in PLACES}
        session.add(
            MarkRow(mark_set_id=made.id, mark="1", position=0, region_id="0", **place, occluded=False, leader=None,
                    area_px=1, score=1.0, text=mark, role=None, rle={})
        )  # fmt: skip


def test_labels_narrow_and_are_counted(client: TestClient) -> None:
    shop, both, plain = posted(client, 1, "shop"), posted(client, 2, "shop", "night"), posted(client, 3)
    assert found(client) == [plain, both, shop]
    assert found(client, label="shop") == [both, shop]
    assert found(client, label=["shop", "night"]) == [both]
    assert found(client, label="sho") == []
    body = client.get("/v1/images", params={"label": "shop", "include": "total", "limit": 1}).json()
    assert (body["total"], body["has_more"], body["next_cursor"]) == (2, True, both)
    assert found(client, label="shop", after=both) == [shop]
    assert "total" not in client.get("/v1/images").json()
    assert client.get("/v1/images", params={"include": "total"}).json()["total"] == 3
    counted = client.get("/v1/labels", params={"limit": 1}).json()
    assert counted == {"data": [{"label": "night", "images": 1}], "has_more": True, "next_cursor": "night"}
    assert client.get("/v1/labels", params={"after": "night"}).json()["data"] == [{"label": "shop", "images": 2}]
    assert client.get("/v1/labels", params={"q": "sh"}).json()["data"] == [{"label": "shop", "images": 2}]
    assert client.get("/v1/labels", params={"q": "s%"}).json()["data"] == []


def test_words_are_looked_for_in_texts_answers_and_marks(client: TestClient, engine: Engine, tenant: UUID) -> None:
    said, answered, shown = (posted(client, seed, "a") for seed in (1, 2, 3))
    say(engine, tenant, said, written="1. red kettle\n2. stove")
    say(engine, tenant, answered, answer="It is the Kettle on the left.")
    say(engine, tenant, shown, mark="Check-in counter")
    assert found(client, q="kettle") == [answered, said]
    assert found(client, q="KETT") == [answered, said]  # a beginning is enough
    assert found(client, q="red kettle") == [said]
    assert found(client, q="red left") == []  # both in one of them, not here and there
    assert found(client, q="check-in") == found(client, q="counter") == [shown]
    assert found(client, q="kettle", limit=1, after=answered) == [said]
    assert found(client, q="kettle", label="a") == [answered, said]
    assert found(client, q="kettle", label="b") == []
    assert found(client, q="human") == []  # who speaks is not what is said
    assert client.get("/v1/images", params={"q": "kettle", "include": "total"}).json()["total"] == 2
    assert client.get("/v1/images", params={"q": "?!"}).status_code == 422
    assert found(client, q="it's a:* & ! (") == []


def test_words_and_labels_are_found_by_their_indexes(engine: Engine, tenant: UUID) -> None:
    """Below a policy Postgres would read every row: that is what the role is for."""
    with transaction(engine, tenant) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for role, used in (("markwise_search", True), ("markwise_app", False)):
            session.execute(text(f"SET LOCAL ROLE {role}"))
            plan = "\n".join(
                session.scalars(
                    text(
                        "EXPLAIN SELECT image_id FROM texts WHERE words_of_text(conversations) @@ to_tsquery('simple', 'a')"
                    )
                )
            )
            assert ("ix_texts_words" in plan) == used, plan


def test_who_searches_finds_only_his_own_and_is_himself_again(
    client: TestClient, engine: Engine, tenant: UUID, other_tenant: UUID
) -> None:
    say(engine, tenant, posted(client, 1, "shop"), written="kettle")
    with transaction(engine, other_tenant) as session:
        gallery = Gallery(session)
        assert gallery.page(Wanted(words="kettle"), limit=5, after=None).rows == []
        assert gallery.total(Wanted(labels=["shop"])) == 0
        assert gallery.labels(prefix="", limit=5, after=None) == []
        assert session.scalar(text("SELECT current_user")) == "markwise_app"


def test_a_long_text_is_kept_though_it_is_not_found(client: TestClient, engine: Engine, tenant: UUID) -> None:
    image = posted(client, 1)
    say(engine, tenant, image, written=" ".join(f"w{number}" for number in range(400_000)))
    assert found(client, q="w1") == []


def test_many_are_labelled_at_once(client: TestClient) -> None:
    one, two = posted(client, 1, "a", "b"), posted(client, 2, "c")
    body = {"images": {"ids": [one, two]}, "add_labels": ["c", "d"], "remove_labels": ["a"]}
    assert client.patch("/v1/images", json=body).json() == {"object": "images", "changed": 2}
    assert client.get(f"/v1/images/{one}").json()["labels"] == ["b", "c", "d"]
    assert client.get(f"/v1/images/{two}").json()["labels"] == ["c", "d"]
    assert client.patch("/v1/images", json=body).json()["changed"] == 0
    assert client.patch("/v1/images", json={"images": {"label": "d"}, "remove_labels": ["d"]}).json()["changed"] == 2
    for wrong in ({}, {"add_labels": ["x"], "remove_labels": ["x"]}):
        assert client.patch("/v1/images", json={"images": {"ids": [one]}, **wrong}).status_code == 422


def test_many_are_deleted_and_one_that_is_held_stays(client: TestClient, engine: Engine, tenant: UUID) -> None:
    gone, held, never = posted(client, 1), posted(client, 2), "01a1fe9f-f8f6-7d14-8b82-94f7fb600000"
    say(engine, tenant, held, written="kept")
    with transaction(engine, tenant) as session:
        session.execute(text("INSERT INTO datasets (name, recipe, statistics) VALUES ('mine', '{}', '{}')"))
        session.execute(
            text(
                "INSERT INTO dataset_items (dataset_id, position, text_id, sample_id, kind, part, stage, conversations)"
                " SELECT d.id, 0, t.id, 'a', 'listing', 'a', 'a', '[]' FROM datasets d, texts t"
            )
        )
    told = client.post("/v1/images/delete", json={"ids": [gone, held, never, gone]}).json()
    assert (told["deleted"], told["missing"]) == ([gone], [never])
    assert [one["id"] for one in told["kept"]] == [held]
    assert "mine" in told["kept"][0]["reason"]
    assert found(client) == [held]
    assert client.post("/v1/images/delete", json={"ids": [gone]}).status_code == 404


def test_a_small_copy_is_made_once_and_goes_with_its_image(client: TestClient, tmp_path: Path) -> None:
    image = posted(client, 1, size_wh=(1600, 400))
    for size, expected in (("160", (160, 40)), (None, (320, 80))):
        response = client.get(f"/v1/images/{image}/thumbnail", params={"size": size} if size else {})
        assert response.headers["content-type"] == "image/webp"
        assert "immutable" in response.headers["cache-control"]
        assert Image.open(io.BytesIO(response.content)).size == expected
    kept = sorted(path for path in tmp_path.rglob("*.webp"))
    assert len(kept) == 2
    blobs, key = open_blobs(tmp_path), kept[0].relative_to(tmp_path).as_posix()
    made = blobs.get(key)
    blobs.delete(key)
    blobs.put_if_absent(key, b"seen")

    def shown() -> set[bytes]:
        return {client.get(f"/v1/images/{image}/thumbnail", params={"size": size}).content for size in ("160", "320")}

    assert b"seen" in shown(), "it is read, not made again"
    kept[0].write_bytes(b"spoilt")
    assert made in shown(), "a damaged one is made again"
    assert blobs.get(key) == made
    small = posted(client, 2)
    assert Image.open(io.BytesIO(client.get(f"/v1/images/{small}/thumbnail?size=640").content)).size == (320, 240)
    assert client.get(f"/v1/images/{image}/thumbnail?size=100").status_code == 422
    assert client.delete(f"/v1/images/{image}").status_code == 204
    assert len(list(tmp_path.rglob("*.webp"))) == 1


def test_a_marked_picture_has_a_small_copy_too(
    client: TestClient, engine: Engine, tenant: UUID, tmp_path: Path
) -> None:
    image = posted(client, 1, size_wh=(1600, 400))
    say(engine, tenant, image)
    blobs = open_blobs(str(tmp_path))
    with transaction(engine, tenant) as session:
        made = session.scalars(select(MarkSetRow)).one()
        made.overlay_blob_key = overlay_key(str(tenant), str(made.id), "markwise", "png")
        blobs.put_if_absent(made.overlay_blob_key, drawn(2, (1600, 400)))
    shown = client.get(f"/v1/marksets/{made.id}/thumbnail?size=160")
    assert Image.open(io.BytesIO(shown.content)).size == (160, 40)
    small = {stat.key for stat in blobs.list() if stat.key.endswith(".webp")}
    with transaction(engine, tenant) as session:
        assert Holdings(session).named(small) == small
    assert client.delete(f"/v1/images/{image}").status_code == 204
    with transaction(engine, tenant) as session:
        assert Holdings(session).named(small) == set()
    assert list(blobs.list()) == []
