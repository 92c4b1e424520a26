"""Requests drawn from our own OpenAPI document never meet a fault of ours, and every answer is one that the document promises.

The API in process on a real database; no worker, so that nothing is computed. Drawn by schemathesis, the same each time.
"""

import warnings
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.main import create_app
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from tests.chaos.spoilt_images import LEAK

EXAMPLES = 8
PROMISED = (status_code_conformance, content_type_conformance, response_schema_conformance)
STREAMS = "/v1/jobs/{job_id}/events"
"""Streams until a job ends."""
MAY_BE_UNREADY = {503: "/readyz"}


def operations() -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
        found = [result.ok() for result in document.get_all_operations()]
    return [operation for operation in found if operation.path != STREAMS]


@pytest.fixture(scope="module")
def client(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client with every scope, of a tenant and a database of its own."""
    from tests.conftest import TEMPLATE, add_tenant, execute, with_database

    execute(stack, f"CREATE DATABASE any_request TEMPLATE {TEMPLATE} STRATEGY wal_log")
    database = with_database(stack, "any_request")
    tenant: UUID = add_tenant(database, "anyone")
    changed = {"require_keys": True, "blobs": str(tmp_path_factory.mktemp("blobs"))}
    app = create_app(database.model_copy(update=changed))
    with TestClient(app, raise_server_exceptions=False) as client:
        engine: Engine = app.state.web.engine
        with transaction(engine, tenant) as session:
            _, key = issue(session, "anyone", list(ALL_SCOPES))
        client.headers["Authorization"] = f"Bearer {key}"
        yield client
    execute(stack, "DROP DATABASE any_request WITH (FORCE)")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_no_request_is_a_fault_of_ours(client: TestClient, operation: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if case.media_type == "multipart/form-data":
            return  # drawn parts that are no bytes fail in the client; `test_abuse` posts hostile ones
        request = case.as_transport_kwargs()
        headers = dict(request.get("headers") or {}) | {"Prefer": "wait=0"}
        headers.pop("Authorization", None)
        response = client.request(
            request["method"],
            request["url"],
            params=request.get("params"),
            json=request.get("json"),
            content=request.get("data") if request.get("json") is None else None,
            headers=headers,
        )
        said = (operation.label, response.status_code, response.text[:300])
        case.validate_response(response, checks=PROMISED)
        assert response.status_code < 500 or MAY_BE_UNREADY.get(response.status_code) == operation.path, said
        if response.status_code >= 400 and not operation.path.startswith(("/v1/chat", "/readyz")):
            assert response.headers["content-type"] == "application/problem+json", said
            assert response.json()["status"] == response.status_code, said
            assert not LEAK.search(response.text), said

    ask()
