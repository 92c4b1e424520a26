"""Acts upon keys, deployments and webhooks leave a trace that nobody who may act can take away."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from app.catalog.session import transaction


def entries(client: TestClient, **query: str) -> list[dict]:
    return client.get("/v1/audit", params=query).json()["data"]


def test_every_act_is_there_with_who_and_by_which_request(client: TestClient) -> None:
    made = client.post("/v1/keys", json={"name": "robot", "scopes": ["ground"]}, headers={"X-Request-Id": "abc"})
    client.delete(f"/v1/keys/{made.json()['id']}")
    hook = client.post("/v1/webhooks", json={"url": "https://a.example/"}).json()
    client.patch(f"/v1/webhooks/{hook['id']}", json={"active": False})
    client.delete(f"/v1/webhooks/{hook['id']}")
    client.post("/v1/models/deploy", json={"model_version_id": None})
    found = entries(client)
    assert [entry["action"] for entry in reversed(found)] == [
        "key.created",
        "key.revoked",
        "webhook.created",
        "webhook.changed",
        "webhook.deleted",
        "model.deployed",
    ]
    first = found[-1]
    assert (first["actor"], first["request_id"], first["subject"]) == ("ops", "abc", made.json()["id"])
    assert first["detail"] == {"name": "robot", "scopes": ["ground"]}
    assert made.json()["key"] not in str(found)
    assert hook["secret"] not in str(found)


def test_an_act_that_failed_leaves_none(client: TestClient) -> None:
    assert client.delete("/v1/keys/00000000-0000-0000-0000-000000000000").status_code == 404
    assert client.post("/v1/webhooks", json={"url": "http://a.example:22/"}).status_code == 422
    assert entries(client) == []


def test_the_log_is_filtered_and_paged(client: TestClient) -> None:
    for number in range(3):
        client.post("/v1/keys", json={"name": f"k{number}"})
    client.post("/v1/webhooks", json={"url": "https://a.example/"})
    assert [entry["detail"]["name"] for entry in entries(client, action="key.created")] == ["k2", "k1", "k0"]
    page = client.get("/v1/audit", params={"limit": 2}).json()
    assert page["has_more"]
    assert len(entries(client, after=page["next_cursor"])) == 2


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET actor = 'nobody'", "DELETE FROM audit_entries"])
def test_the_service_itself_cannot_change_it(engine: Engine, tenant: UUID, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction(engine, tenant) as session:
        session.execute(text(statement))
