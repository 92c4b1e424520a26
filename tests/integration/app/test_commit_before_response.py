"""The response leaves after the commit: what a client is told exists can be read at once, and a failed commit is no 200.

FastAPI answers before a dependency's clean-up unless it is declared with scope="function"; `app.http.deps.Tx` is.
"""

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, text

from app.catalog.tables import DatasetRow
from app.http import deps
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def api(database: Settings) -> FastAPI:
    app = create_app(database)

    @app.post("/test/dataset", status_code=201)
    def add(tx: deps.Tx) -> dict[str, str]:
        row = DatasetRow(
            name="fresh", version=1, recipe={}, statistics={}, content_sha256="0" * 64, sealed_at=func.now()
        )
        tx.add(row)
        tx.flush()
        tx.execute(text("SELECT pg_sleep(0.05)"))
        return {"id": str(row.id)}

    @app.post("/test/fails", status_code=201)
    def fail(tx: deps.Tx) -> dict[str, str]:
        # Deferred, so that nothing complains before the commit itself.
        tx.execute(text("CREATE TEMP TABLE doomed (n int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"))
        tx.execute(text("INSERT INTO doomed VALUES (1), (1)"))
        return {"id": "never"}

    return app


@pytest.fixture
def client(api: FastAPI) -> Iterator[httpx.Client]:
    """A client of the app behind a real uvicorn: the test client would hide the order."""
    server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as made:
        yield made
    server.should_exit = True
    thread.join(10)


def test_what_was_answered_is_committed(client: httpx.Client) -> None:
    made = client.post("/test/dataset")
    assert made.status_code == 201
    assert client.get(f"/v1/datasets/{made.json()['id']}").status_code == 200


def test_a_failed_commit_is_not_a_success(client: httpx.Client) -> None:
    response = client.post("/test/fails")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "doomed" not in response.text
