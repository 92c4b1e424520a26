"""Who asks too much is told when to come back, as a problem and to OpenAI's clients in their own form, and nobody else is."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.main import create_app
from app.queue.outbox import enqueue
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from tests.acceptance.service import drawn

# One request a key in half a minute: on a busy machine a test takes seconds.
LIMITS = {"key_requests_per_min": 2, "queue_limit": 3, "profile": "embedded"}


@pytest.fixture
def client(database: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(database.model_copy(update=LIMITS))) as made:
        yield made


@pytest.fixture
def headers(engine: Engine, tenant: UUID) -> list[dict[str, str]]:
    """Of two keys."""
    with transaction(engine, tenant) as session:
        keys = [issue(session, name, list(ALL_SCOPES))[1] for name in ("one", "two")]
    return [{"Authorization": f"Bearer {key}"} for key in keys]


def statuses(client: TestClient, headers: dict[str, str], count: int, path: str = "/v1/images") -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(count)]


def test_a_key_that_asks_too_fast_hears_429_and_when_to_come_back(
    client: TestClient, headers: list[dict[str, str]]
) -> None:
    assert statuses(client, headers[0], 3) == [200, 429, 429]
    refused = client.get("/v1/images", headers=headers[0])
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "key.rate"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert statuses(client, headers[1], 1) == [200]
    assert client.get("/healthz").status_code == 200
    assert statuses(client, {}, 5) == [200] * 5  # the local caller, who has no key


def test_openais_clients_hear_it_in_their_own_form(client: TestClient, headers: list[dict[str, str]]) -> None:
    assert statuses(client, headers[0], 1) == [200]
    refused = client.post("/v1/chat/completions", headers=headers[0], json={"model": "m", "messages": []})
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert "retry-after" in refused.headers


def test_an_idempotent_repeat_is_refused_too_and_not_remembered(
    client: TestClient, headers: list[dict[str, str]]
) -> None:
    assert statuses(client, headers[0], 1) == [200]
    keyed = headers[0] | {"Idempotency-Key": "k"}
    refused = client.post("/v1/images", headers=keyed, files={"file": drawn(1)})
    assert refused.status_code == 429
    assert "retry-after" in refused.headers


def order(engine: Engine, tenant: UUID, queue: str, count: int) -> None:
    with transaction(engine, tenant) as session:
        for _ in range(count):
            enqueue(session, kind="k", queue=queue, payload={})


def mark(client: TestClient, seed: int) -> httpx.Response:
    settings = {"segmenter": "regions"}
    return client.post("/v1/marksets", files={"file": drawn(seed)}, data=settings, headers={"Prefer": "respond-async"})


def test_a_full_queue_refuses_interactive_work_and_takes_the_rest(
    client: TestClient, engine: Engine, tenant: UUID
) -> None:
    order(engine, tenant, "batch", 5)  # another tenant's, and another queue's
    order(engine, tenant, "interactive", 3)
    refused = mark(client, 2)
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert client.post("/v1/images", files={"file": drawn(3)}).status_code == 201


def test_below_the_limit_work_is_taken(client: TestClient, engine: Engine, tenant: UUID) -> None:
    order(engine, tenant, "interactive", 2)
    assert mark(client, 4).status_code == 202


def test_whoever_leaves_is_counted_out(client: TestClient) -> None:
    for seed in range(5):
        client.post("/v1/images", files={"file": drawn(seed)})
        client.post("/v1/images", json={"wrong": True})
    assert client.app.state.web.admission.working == 0  # type: ignore[attr-defined]  # a FastAPI app
