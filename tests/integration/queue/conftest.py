"""A runner in this process and the means to look at its jobs."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, text

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobRow
from app.queue import leases
from app.queue.outbox import enqueue
from app.queue.tasks import Claim
from app.settings import Settings
from tests.acceptance import effects
from tests.conftest import execute
from workers.resources import Resources
from workers.runner import Runner

Order = Callable[..., UUID]


@pytest.fixture
def effects_table(database: Settings) -> None:
    for statement in effects.TABLE.strip().split(";\n"):
        execute(database, statement)


@pytest.fixture
def resources(database: Settings, effects_table: None) -> Iterator[Resources]:
    made = Resources(database.model_copy(update={"lease_s": 1.0, "heartbeat_s": 0.1}))
    yield made
    made.close()


@pytest.fixture
def runner(resources: Resources) -> Runner:
    return Runner(resources, effects.REGISTRY, worker="test")


@pytest.fixture
def order(engine: Engine, tenant: UUID) -> Order:
    def make(kind: str = "test.effect", **given: object) -> UUID:
        with transaction(engine, tenant) as session:
            values = {"queue": "batch", "payload": {}} | given
            return enqueue(session, kind=kind, **values).id  # type: ignore[arg-type]  # the values are enqueue's own keywords

    return make


@pytest.fixture
def job(engine: Engine, tenant: UUID) -> Callable[[UUID], JobRow]:
    def read(job_id: UUID) -> JobRow:
        with transaction(engine, tenant) as session:
            row = session.get(JobRow, job_id)
            assert row is not None
            return row

    return read


@pytest.fixture
def claim(queue_engine: Engine) -> Callable[..., Claim | None]:
    def take(job_id: UUID, lease_s: float = 30.0) -> Claim | None:
        with queue_transaction(queue_engine) as session:
            return leases.claim(session, job_id, worker="test", lease_s=lease_s)

    return take


def count_effects(engine: Engine, tenant: UUID) -> int:
    with transaction(engine, tenant) as session:
        return int(session.scalar(text("SELECT count(*) FROM effects")) or 0)
