"""A POST under an `Idempotency-Key` while Postgres goes away: before it is known, or when its answer should be kept."""

from collections.abc import Iterator

import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import OperationalError

from app.catalog.idempotency import IdempotencyRepository
from app.main import create_app
from app.settings import Settings
from tests.acceptance.service import drawn
from tests.chaos.toxics import Toxic, toxic

KEYED = {"Idempotency-Key": "once"}


@pytest.fixture
def way(database: Settings) -> Iterator[Toxic]:
    """The only way to Postgres."""
    parts = conninfo_to_dict(str(database.database_url))
    with toxic(f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}") as made:
        yield made


@pytest.fixture
def caller(with_keys: Settings, way: Toxic) -> Iterator[TestClient]:
    name = conninfo_to_dict(str(with_keys.database_url))["dbname"]
    behind = {"database_url": f"postgresql://postgres@127.0.0.1:{way.port}/{name}", "require_keys": False}
    settings = with_keys.model_copy(update=behind | {"app_database_url": None, "queue_database_url": None})
    with TestClient(create_app(settings), raise_server_exceptions=False) as made:
        yield made


def send(caller: TestClient) -> tuple[int, str | None, str]:
    answer = caller.post("/v1/images", files={"file": drawn(1, (40, 30))}, headers=KEYED)
    return answer.status_code, answer.headers.get("retry-after"), str(answer.json().get("code", ""))


def test_a_key_that_cannot_be_looked_up_is_told_to_come_back(caller: TestClient, way: Toxic) -> None:
    way.mode = "down"
    status, retry_after, code = send(caller)
    assert (status, code) == (503, "unavailable")
    assert retry_after is not None
    way.mode = "well"
    assert send(caller)[0] == 201


def test_what_was_done_is_answered_also_if_it_cannot_be_kept(
    caller: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("UPDATE", {}, psycopg.OperationalError("server closed the connection unexpectedly"))

    with monkeypatch.context() as patched:
        patched.setattr(IdempotencyRepository, "end", gone)
        assert send(caller)[0] == 201
    assert send(caller)[0] == 409, "the lock runs out by itself; until then a repeat waits"
