"""`markwise doctor` on a deployment: each thing that is wrong is named with what to do, and nothing that is right."""

import re
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.queue.outbox import enqueue
from app.services.diagnosis import examine
from app.services.keys import issue
from app.settings import Settings
from app.stack.migrate import head
from tests.conftest import execute

WORKERS = "INSERT INTO worker_processes (name, queues) VALUES ('a', '{interactive,batch,train}')"


@pytest.fixture
def healthy(database: Settings, tmp_path: Path) -> Settings:
    execute(database, WORKERS)
    return database.model_copy(update={"blobs": str(tmp_path / "blobs")})


def wrong(settings: Settings, newest: str | None = None) -> dict[str, str]:
    return {name: said for name, said in examine(settings, newest or head()).items() if said is not None}


def test_nothing_is_wrong_with_what_is_right(healthy: Settings) -> None:
    assert wrong(healthy) == {}


def test_old_schemas_missing_workers_and_late_jobs_are_named(healthy: Settings, engine: Engine, tenant: UUID) -> None:
    execute(healthy, "UPDATE worker_processes SET queues = '{batch}'")
    with transaction(engine, tenant) as session:
        enqueue(session, kind="import.create", queue="interactive", payload={})
    execute(healthy, "UPDATE jobs SET run_at = clock_timestamp() - interval '99 seconds'")
    execute(healthy, "UPDATE alembic_version SET version_num = '0004'")
    found = wrong(healthy)
    assert "markwise worker --queues interactive,train" in found["workers"]
    assert re.match(r"the oldest interactive job has waited (99|1\d\d) s", found["queues"])
    assert "the schema is 0004" in found["schema"]
    assert set(found) == {"workers", "queues", "schema"}


def test_walls_that_are_down_are_named(healthy: Settings) -> None:
    execute(healthy, "ALTER TABLE images NO FORCE ROW LEVEL SECURITY")
    assert "not forced on images" in wrong(healthy)["row security"]
    owner = healthy.model_copy(update={"app_database_url": healthy.database_url})
    assert "a role that row security does not bind" in wrong(owner)["row security"]


def test_required_keys_must_exist(healthy: Settings, engine: Engine, tenant: UUID) -> None:
    strict = healthy.model_copy(update={"require_keys": True})
    assert "markwise keys create" in wrong(strict)["keys"]
    with transaction(engine, tenant) as session:
        issue(session, "first", ["mark"])
    assert wrong(strict) == {}


def test_what_does_not_answer_is_named_with_its_setting(healthy: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    gone = "postgresql://nobody@127.0.0.1:1/none"
    found = wrong(
        healthy.model_copy(
            update={
                "app_database_url": gone,
                "redis_url": "unix:///nowhere/redis.sock?db=0",
                "blobs": str(tmp_path / "file" / "blobs"),
                "vlm_url": "http://127.0.0.1:1",
            }
        )
    )
    assert {name: said.split("MARKWISE_")[1].split()[0].strip(".,;") for name, said in found.items()} == {
        "database": "DATABASE_URL",
        "redis": "REDIS_URL",
        "blobs": "BLOBS",
        "model server": "VLM_URL",
    }
