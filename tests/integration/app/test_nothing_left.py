"""What is deleted leaves nothing behind: no row of any table of the schema and no file has a word, a name or a pixel of it.

Tables are read from the schema, so one that is new is looked at by itself, and must be filled here. What may stay is named with its reason.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import DBAPIError

from app.catalog.audit import record
from app.catalog.holdings import EXPIRING
from app.catalog.session import owner_engine, transaction
from app.catalog.tables import (
    TENANT_TABLES,
    AnswerRow,
    CandidateRow,
    DatasetRow,
    DeploymentRow,
    IdempotencyRow,
    ImageFactsRow,
    JobEventRow,
    JobRow,
    LedgerEntryRow,
    ModelVersionRow,
)
from app.commands.forget import forget
from app.services.forgetting import Forgetting
from app.settings import Settings
from app.storage.blobs import BlobStore, adapter_key, import_key, model_key, open_blobs, thumbnail_key
from tests.acceptance.service import drawn
from tests.conftest import execute
from tests.integration.app.one_of_everything import one_of_everything

SECRET = "zebrafinch"
"""A word that stands in everything that is said of the pictures."""
NO_WAIT = {"Prefer": "wait=0"}
AT_ONCE = dict.fromkeys(("images", *EXPIRING), timedelta(0))
WAIT_FOR_THEIR_DAY = {"idempotency_keys", "job_items", "jobs", "ledger_entries"}
"""Deleted with their jobs by MARKWISE_KEEP_JOBS_DAYS, and POSTs are remembered for MARKWISE_KEEP_IDEMPOTENCY_KEYS_DAYS."""
STAYS = {
    "audit_entries": "who made and revoked keys and webhooks; nobody can change it, and no word of a picture is in it",
    "keys": "the tenant goes on",
    "storage_use": "counts",
}
FORGOTTEN_STAYS = {"audit_entries"}
OF_TEACHING = {"dataset_items", "datasets", "deployments", "evaluation_items", "evaluations", "model_versions"}
"""What holds pictures for good, filled by `stock`: a sealed dataset does not let its images go."""


def posted(client: TestClient, path: str, *statuses: int, **given: Any) -> Any:
    response = client.post(path, headers=NO_WAIT | given.pop("headers", {}), **given)
    assert response.status_code in statuses, response.text
    return response.json()


def fill(client: TestClient, work: Callable[[], None], engine: Engine, tenant: UUID) -> list[str]:
    """Do with two pictures all that can be done with one; returns their ids."""
    regions = [{"bbox_xyxy_px": [30.0, 40.0, 110.0, 120.0], "text": SECRET}]
    pictures = []
    for seed in (1, 2):
        labels = {"labels": json.dumps([SECRET])}
        image = posted(client, "/v1/images", 201, files={"file": drawn(seed)}, data=labels)
        pictures.append(image["id"])
        ask = {"image": {"type": "id", "id": image["id"]}, "regions": regions}
        posted(client, "/v1/marksets", 202, json=ask, headers={"Idempotency-Key": f"{SECRET}-{seed}"})
        work()
        (marked,) = client.get("/v1/marksets", params={"image_id": image["id"]}).json()["data"]
        path = f"/v1/marksets/{marked['id']}"
        revised = client.patch(f"{path}/marks/1", json={"text": f"{SECRET} twice"}).json()
        posted(client, f"/v1/marksets/{revised['id']}/revisions", 201, json={"op": "delete", "marks": ["1"]})
        for thumbnail in (f"/v1/images/{image['id']}/thumbnail", f"{path}/thumbnail"):
            assert client.get(thumbnail).status_code == 200
        order = {"images": {"ids": [image["id"]]}, "mark_set_ids": [marked["id"]]}
        posted(client, "/v1/annotations", 202, json=order)
        work()
    for written in client.get("/v1/texts").json()["data"]:
        assert client.patch(f"/v1/texts/{written['id']}", json={"review": "accepted"}).status_code == 200
    coco = {"info": {"description": SECRET}, "images": [], "annotations": [], "categories": []}
    order = {"format": "coco", "source": SECRET}
    posted(client, "/v1/imports", 202, files={"file": json.dumps(coco).encode()}, data=order)
    work()
    webhook = posted(client, "/v1/webhooks", 201, json={"url": "https://a.example/", "events": ["job.failed"]})
    posted(client, f"/v1/webhooks/{webhook['id']}/test", 202)
    with transaction(engine, tenant) as session:
        job_id, image_id = session.scalars(select(JobRow.id).limit(1)).one(), UUID(pictures[-1])
        # What takes a model to write.
        said = {"task": "ask", "query": f"Click {SECRET}", "model_name": "m", "body": {"text": SECRET}}
        session.add(AnswerRow(image_id=image_id, mark_set_id=UUID(marked["id"]), **said))
        session.add(CandidateRow(job_id=job_id, image_id=image_id, score=0.5, bbox_xyxy_px=[0, 0, 1, 1]))
        session.add(ImageFactsRow(image_id=image_id, source="coco", external_id="1", facts={"caption": SECRET}))
        session.add(LedgerEntryRow(job_id=job_id, key_sha256="a", found={"said": SECRET}))
    return pictures


def rows(settings: Settings, tenant: UUID) -> dict[str, list[str]]:
    """Every row that a tenant has in any table, as JSON, read as the owner of the schema."""
    with psycopg.connect(str(settings.database_url)) as connection:
        return {
            table: [
                str(row[0])
                for row in connection.execute(
                    f"SELECT row_to_json(t)::text FROM {table} t WHERE tenant_id = %s",  # type: ignore[arg-type]  # ours
                    (tenant,),
                )
            ]
            for table in TENANT_TABLES
        }


@pytest.fixture
def owner(database: Settings) -> Iterator[Engine]:
    made = owner_engine(str(database.database_url))
    yield made
    made.dispose()


def stored(blobs: BlobStore) -> set[str]:
    return {stat.key for stat in blobs.list()}


def stock(settings: Settings, engine: Engine, tenant: UUID) -> dict[str, str]:
    """Give a tenant a row of every table, and a file of every kind; returns ids by noun."""
    ids, blobs = one_of_everything(engine, tenant, settings), open_blobs(settings.blobs_place)
    version, image_id = ids["model_version"], UUID(ids["image"])
    for key in (model_key(str(tenant), version, "a"), adapter_key(str(tenant), version, "a"),
                thumbnail_key(str(tenant), "0" * 64, 160), import_key(str(tenant), "1" * 64)):  # fmt: skip
        blobs.put_if_absent(key, SECRET.encode())
    with transaction(engine, tenant) as session:
        job_id = UUID(ids["job"])
        session.add(ImageFactsRow(image_id=image_id, source="coco", external_id="1", facts={"caption": SECRET}))
        session.add(LedgerEntryRow(job_id=job_id, key_sha256="a", found={"said": SECRET}))
        session.add(JobEventRow(job_id=job_id, type="log", data={"message": SECRET}))
        session.add(DeploymentRow(model_version_id=UUID(version)))
        session.add(IdempotencyRow(route="r", key=SECRET, fingerprint="f", locked_until=func.now()))
        session.add(ModelVersionRow(name=SECRET, version=1, kind="adapter", base_id=UUID(version), recipe={}))
        record(session, "key.created", ids["key"], actor="test")
    return {noun: value for noun, value in ids.items() if noun not in {"key", "label", "dataset_name"}}


def speaking(found: dict[str, list[str]], *words: str) -> set[str]:
    """The tables in which one of the words stands."""
    return {table for table, lines in found.items() if any(word in str(lines) for word in words)}


def test_a_tenant_that_is_forgotten_leaves_its_audit_log_alone(
    with_keys: Settings, engine: Engine, owner: Engine, tenant: UUID, other_tenant: UUID, tmp_path: Path
) -> None:
    """One row of every kind with its files, a sealed dataset among them; the neighbour, who has the same, keeps all."""
    stay = {of: stock(with_keys, engine, of) for of in (tenant, other_tenant)}
    before = rows(with_keys, tenant)
    assert {table for table, found in before.items() if not found} == set()
    theirs = rows(with_keys, other_tenant)
    blobs = open_blobs(tmp_path)
    files = {key for key in stored(blobs) if key.startswith(str(other_tenant))}
    assert len(files) == len(stored(blobs)) / 2
    forgetting = Forgetting(engine=engine, blobs=blobs, tenant_id=tenant)
    gone = forgetting.everything(owner, actor="test")
    assert set(gone.rows) == set(before) - FORGOTTEN_STAYS
    after = rows(with_keys, tenant)
    assert {table for table, found in after.items() if found} == FORGOTTEN_STAYS
    assert speaking(after, SECRET, *stay[tenant].values()) == set()
    assert '"tenant.emptied"' in str(after)
    assert (rows(with_keys, other_tenant), stored(blobs)) == (theirs, files)
    assert forgetting.everything(owner, actor="test").rows == {}, "again is nothing"
    with transaction(engine, other_tenant) as session, pytest.raises(DBAPIError, match="sealed"):
        session.execute(delete(DatasetRow))


def test_deleted_images_leave_no_row_and_no_file(
    client: TestClient, work: Callable[[], None], engine: Engine, with_keys: Settings, tenant: UUID, tmp_path: Path
) -> None:
    """Images at once, with all that is said of them; jobs, remembered POSTs and uploads when their days are over."""
    pictures = fill(client, work, engine, tenant)
    before = rows(with_keys, tenant)
    assert {table for table, found in before.items() if not found} == OF_TEACHING, "fill what is new, too"
    assert SECRET in str(before)
    forgetting = Forgetting(engine=engine, blobs=open_blobs(tmp_path), tenant_id=tenant)
    assert posted(client, "/v1/images/delete", 200, json={"ids": pictures})["deleted"] == pictures
    (webhook,) = client.get("/v1/webhooks").json()["data"]
    assert client.delete(f"/v1/webhooks/{webhook['id']}").status_code == 204
    assert speaking(rows(with_keys, tenant), SECRET, *pictures) == WAIT_FOR_THEIR_DAY
    execute(with_keys, "UPDATE idempotency_keys SET locked_until = created_at")  # else they may still be under way
    forgetting.expire(AT_ONCE)
    forgetting.sweep(older_than=timedelta(0))
    after = rows(with_keys, tenant)
    assert {table for table, found in after.items() if found} == set(STAYS)
    assert speaking(after, SECRET, *pictures) == set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_command_asks_first_and_names_what_went(
    with_keys: Settings, engine: Engine, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, owner_url = stock(with_keys, engine, tenant), str(with_keys.database_url)
    for name, value in (with_keys.child_environment() | {"MARKWISE_DATABASE_URL": owner_url}).items():
        if name.startswith("MARKWISE_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MARKWISE_PROFILE", "production")
    asked = CliRunner().invoke(forget, ["test"], input="n\n")
    assert (asked.exit_code, ids["image"] in str(rows(with_keys, tenant))) == (1, True)
    unknown = CliRunner().invoke(forget, ["nobody", "--yes"])
    assert (unknown.exit_code, unknown.output) == (1, "markwise: There is no tenant with this name.\n")
    done = CliRunner().invoke(forget, ["test", "--yes", "--json"])
    assert json.loads(done.stdout)["rows"]["images"] == 1
    assert {table for table, found in rows(with_keys, tenant).items() if found} == FORGOTTEN_STAYS
