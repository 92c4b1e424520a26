"""A client of the application in this process, which may do everything: its key has every scope."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, select

from app.catalog.session import transaction
from app.catalog.tables import JobRow
from app.main import create_app
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings
from workers.handlers import HANDLERS
from workers.resources import Resources
from workers.runner import Runner


@pytest.fixture
def with_keys(database: Settings, tmp_path: Path) -> Settings:
    """Settings of a service that requires keys and keeps its files in the test's folder."""
    return database.model_copy(update={"require_keys": True, "blobs": str(tmp_path)})


@pytest.fixture
def client(with_keys: Settings, engine: Engine, tenant: UUID) -> Iterator[TestClient]:
    """Keys are required, and this one is called ops."""
    with transaction(engine, tenant) as session:
        _, key = issue(session, "ops", list(ALL_SCOPES))
    with TestClient(create_app(with_keys), headers={"Authorization": f"Bearer {key}"}) as made:
        yield made


@pytest.fixture
def work(with_keys: Settings, engine: Engine, tenant: UUID) -> Iterator[Callable[[], None]]:
    """Does in this process what the tenant has ordered."""
    resources = Resources(with_keys)
    runner = Runner(resources, HANDLERS, worker="test")

    def waiting() -> list[UUID]:
        with transaction(engine, tenant) as session:
            return list(session.scalars(select(JobRow.id).where(JobRow.status == "queued").order_by(JobRow.id)))

    def do() -> None:
        while found := waiting():
            for job_id in found:
                runner.run(job_id)

    yield do
    resources.close()
