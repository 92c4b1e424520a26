"""The numbers of a job as curves that a chart can draw: all of a short one, the shape of a long one."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.queue import events
from app.queue.outbox import enqueue
from app.queue.tasks import EventType, Queue


def test_curves_keep_their_shape(client: TestClient, engine: Engine, tenant: UUID) -> None:
    with transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="training.run", queue=Queue.TRAIN, payload={}, idempotency_key=None).id
        for step in range(90):
            told = {"name": "loss", "value": 9.0 - step / 10, "step": step, "stage": "joint"}
            events.append(session, job_id, EventType.METRIC, told)
        events.append(session, job_id, EventType.METRIC, {"name": "eta_s", "value": 5, "step": 1})
        events.append(session, job_id, EventType.LOG, {"message": "no number"})
    found = client.get(f"/v1/jobs/{job_id}/curves", params={"points": 30}).json()["data"]
    loss, eta = found
    assert (loss["name"], loss["stage"], loss["count"], len(loss["points"])) == ("loss", "joint", 90, 30)
    first, last = loss["points"][0], loss["points"][-1]
    assert (first["step"], first["high"], last["step"]) == (2, 9.0, 89)
    assert first["low"] == pytest.approx(8.8)
    assert first["value"] == pytest.approx(8.9)
    assert (eta["name"], eta["stage"], [point["value"] for point in eta["points"]]) == ("eta_s", None, [5.0])
    whole = client.get(f"/v1/jobs/{job_id}/curves", params={"points": 400}).json()["data"][0]
    assert [point["step"] for point in whole["points"]] == list(range(90))
    assert client.get("/v1/jobs/00000000-0000-0000-0000-000000000000/curves").status_code == 404
