"""Revision 0004 seals the datasets of the release before, with the hash that their export has."""

import json
from uuid import UUID

import psycopg
import pytest

from app.settings import Settings
from app.stack import migrate as migrating
from models.mixtures.samples import ContentHash

TURNS = [{"from": "human", "value": "<image>\nWas steht da? ☃"}, {"from": "gpt", "value": "1. a hat"}]


def insert(connection: psycopg.Connection, table: str, **values: object) -> UUID:
    columns = ", ".join(values)
    places = ", ".join(["%s"] * len(values))
    row = connection.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING *", tuple(values.values())
    ).fetchone()
    assert row is not None
    names = [column.name for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description or ()]
    return dict(zip(names, row, strict=True)).get("id")  # type: ignore[return-value]  # items have none, nobody asks


@pytest.fixture
def old(empty_database: Settings) -> Settings:
    """A database of the release before, with one dataset of one listing."""
    migrating.migrate(empty_database, "0003")
    turns = json.dumps(TURNS)
    with psycopg.connect(str(empty_database.database_url)) as connection:
        tenant = insert(connection, "tenants", name="t")
        own = {"tenant_id": tenant}
        image = insert(
            connection, "images", **own, sha256="a", media_type="image/png", width=1, height=1, bytes=1,
            source="s", blob_key="k",
        )  # fmt: skip
        mark_set = insert(
            connection, "mark_sets", **own, image_id=image, segmenter_name="s", segmenter_version="1", style="{}",
            settings="{}", settings_sha256="x", omitted_regions=0, overlay_blob_key="k",
        )  # fmt: skip
        job = insert(connection, "jobs", **own, kind="annotation.create", queue="batch", payload="{}")
        text = insert(
            connection, "texts", **own, image_id=image, mark_set_id=mark_set, job_id=job, job_item=0, ordinal=0,
            kind="listing", tagged=True, conversations=turns, provenance="{}",
        )  # fmt: skip
        dataset = insert(connection, "datasets", **own, name="d", version=1, recipe="{}", statistics="{}")
        insert(connection, "dataset_items", **own, dataset_id=dataset, position=0, text_id=text, conversations=turns)
    return empty_database


def test_old_datasets_are_sealed_with_the_hash_of_their_export(old: Settings) -> None:
    migrating.migrate(old)
    with psycopg.connect(str(old.database_url)) as connection:
        digest = connection.execute("SELECT content_sha256 FROM datasets WHERE sealed_at IS NOT NULL").fetchone()
        item = connection.execute("SELECT sample_id, image, mark_set_id, kind, review FROM dataset_items").fetchone()
    assert digest is not None
    assert item is not None
    sample_id, image, mark_set_id, kind, review = item
    assert (image, kind, review) == (f"{mark_set_id}.png", "listing", "unreviewed")
    expected = ContentHash()
    expected.add({"id": sample_id, "image": image, "conversations": TURNS})
    assert digest[0] == expected.hex()


def test_what_is_sealed_cannot_be_undone_even_by_the_owner(old: Settings) -> None:
    migrating.migrate(old)
    with psycopg.connect(str(old.database_url), autocommit=True) as connection:
        for statement in (
            "UPDATE datasets SET name = 'other'",
            "DELETE FROM datasets",
            "UPDATE dataset_items SET kind = 'x'",
            "DELETE FROM dataset_items",
            "TRUNCATE dataset_items",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(statement)
        with pytest.raises(psycopg.errors.RestrictViolation, match="sealed"):
            connection.execute(
                "INSERT INTO dataset_items (dataset_id, position, tenant_id, sample_id, kind, part, stage, conversations)"
                " SELECT dataset_id, 1, tenant_id, 'x', 'listing', 'p', 'all', '[]' FROM dataset_items"
            )
