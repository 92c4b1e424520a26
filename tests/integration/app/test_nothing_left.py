"""What is deleted leaves nothing behind: no row of any table of the schema and no file has a word, a name or a pixel of it.

Tables are read from the schema, so one that is new is looked at by itself, and must be filled here. What may stay is named with its reason.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from app.catalog.holdings import EXPIRING
from app.catalog.session import transaction
from app.catalog.tables import TENANT_TABLES, CandidateRow, ImageFactsRow, JobRow, LedgerEntryRow
from app.services.forgetting import Forgetting
from app.settings import Settings
from app.storage.blobs import open_blobs
from tests.acceptance.service import drawn

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
OF_TEACHING = {"dataset_items", "datasets", "deployments", "evaluation_items", "evaluations", "model_versions"}
"""What holds pictures for good, filled by `test_a_tenant`: a sealed dataset does not let its images go."""


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
    posted(client, "/v1/ground", 202, json={"mark_set_id": marked["id"], "query": f"Click {SECRET}"})
    for written in client.get("/v1/texts").json()["data"]:
        assert client.patch(f"/v1/texts/{written['id']}", json={"review": "accepted"}).status_code == 200
    coco = {"info": {"description": SECRET}, "images": [], "annotations": [], "categories": []}
    order = {"format": "coco", "source": SECRET}
    posted(client, "/v1/imports", 202, files={"file": json.dumps(coco).encode()}, data=order)
    work()
    webhook = posted(client, "/v1/webhooks", 201, json={"url": "https://a.example/", "events": ["job.failed"]})
    posted(client, f"/v1/webhooks/{webhook['id']}/test", 202)
    with transaction(engine, tenant) as session:
        job_id, image_id = session.scalars(select(JobRow.id).limit(1)).one(), UUID(pictures[0])
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


def speaking(found: dict[str, list[str]], *words: str) -> set[str]:
    """The tables in which one of the words stands."""
    return {table for table, lines in found.items() if any(word in str(lines) for word in words)}


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
    forgetting.expire(AT_ONCE)
    forgetting.sweep(older_than=timedelta(0))
    after = rows(with_keys, tenant)
    assert {table for table, found in after.items() if found} == set(STAYS)
    assert speaking(after, SECRET, *pictures) == set()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
