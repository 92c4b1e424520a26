"""A catalog, a runner in this process, and models that stand in for real ones: orders of evaluations and what became of them."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.catalog.evaluations import EvaluationRepository
from app.catalog.session import transaction
from app.catalog.tables import EvaluationItemRow, EvaluationRow, JobRow
from app.http.schemas.evaluating import EvaluationIn
from app.queue.control import retry
from app.services import evaluating
from app.settings import Settings
from models.errors import BackendDown, BadOutput
from models.vlm.fake import FakeBackend
from workers.resources import Resources


class Killed(BaseException):
    """Stands for a signal that ends the worker."""


class Model(FakeBackend):
    """A model that can be away, broken, or the end of its worker, at the question of a number."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.asked = 0
        self.gone_at = self.broken_at = self.killed_at = -1

    def _accept(self, request: object) -> None:
        self.asked += 1
        if self.asked == self.killed_at:
            raise Killed
        if self.asked == self.gone_at:
            raise BackendDown("the model is away")
        if self.asked == self.broken_at:
            raise BadOutput("the model stammers")
        super()._accept(request)


@pytest.fixture
def model() -> Model:
    # The small dialect, so that questions are put one at a time, in their order.
    return Model(dialect="tiny")


@pytest.fixture
def settings(database: Settings, tmp_path) -> Settings:
    given = {"lease_s": 2.0, "heartbeat_s": 0.2, "blobs": str(tmp_path / "blobs"), "benchmarks": tmp_path / "suites"}
    return database.model_copy(update=given)


@pytest.fixture
def resources(settings: Settings, model: Model, monkeypatch) -> Iterator[Resources]:
    made = Resources(settings)
    monkeypatch.setattr(type(made.models), "backend", lambda _shelf, _session, _name: (model, None))
    yield made
    made.close()


class Desk:
    """Orders evaluations and looks at what became of them."""

    def __init__(self, engine: Engine, tenant: UUID) -> None:
        self.engine, self.tenant = engine, tenant

    def order(self, **given: object) -> UUID:
        body = EvaluationIn.model_validate(given).order()
        with transaction(self.engine, self.tenant) as session:
            return evaluating.evaluate(session, body, remote_model=None, teachers={"judge"}, idempotency_key=None).id

    def job(self, job_id: UUID) -> JobRow:
        with transaction(self.engine, self.tenant) as session:
            return session.get_one(JobRow, job_id)

    def retry(self, job_id: UUID) -> None:
        with transaction(self.engine, self.tenant) as session:
            retry(session, job_id)

    def evaluations(self) -> list[EvaluationRow]:
        with transaction(self.engine, self.tenant) as session:
            page = EvaluationRepository(session).list_after(limit=100, after=None)
            return sorted(page.rows, key=lambda row: row.cell)

    def items(self, row: EvaluationRow) -> list[EvaluationItemRow]:
        with transaction(self.engine, self.tenant) as session:
            return EvaluationRepository(session).items(row.id)

    def page(self, row: EvaluationRow) -> str:
        with transaction(self.engine, self.tenant) as session:
            return evaluating.html_page(session, row)


@pytest.fixture
def desk(engine: Engine, tenant: UUID) -> Desk:
    return Desk(engine, tenant)
