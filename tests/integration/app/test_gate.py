"""A deployment behind a gate: not worse, worse, not measured, forced; and back with one call."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.catalog.tables import EvaluationRow, ModelVersionRow

F1 = {"benchmark": "pope", "metric": "f1"}
TAGS = {"marks": {"segmenter": "auto"}, "questions": "sha"}


@pytest.fixture
def measured(engine: Engine, tenant: UUID):
    """Register a version, or name a model that needs none, with one evaluation by POPE."""

    def make(name: str, metrics: dict, *, registered: bool = True, **settings) -> str | None:
        with transaction(engine, tenant) as session:
            row = ModelVersionRow(name=name, version=1, kind="checkpoint", recipe={}) if registered else None
            if row is not None:
                session.add(row)
                session.flush()
            told = {"model": name, "model_version": name} | TAGS | settings
            evaluation = EvaluationRow(benchmark="pope", settings=told, metrics=metrics, report={})
            evaluation.model_version_id = None if row is None else row.id
            session.add(evaluation)
            return None if row is None else str(row.id)

    return make


def deploy(client: TestClient, version: str | None, *rules: dict, **more):
    return client.post("/v1/models/deploy", json={"model_version_id": version, "gate": list(rules)} | more)


def test_the_better_one_answers_and_the_worse_one_does_not(client, measured) -> None:
    measured("som-llava-tiny", {"f1": 80.0, "by_split": {"random": 81.0}}, registered=False)
    good, bad = measured("good", {"f1": 84.0, "by_split": {"random": 85.0}}), measured("bad", {"f1": 79.5})
    passed = deploy(client, good, F1, F1 | {"metric": "by_split.random"})
    assert passed.status_code == 200
    assert passed.json()["gate"][0] == F1 | {"new": 84.0, "current": 80.0, "kept": True}
    refused = deploy(client, bad, F1)
    assert (refused.status_code, refused.json()["code"]) == (409, "model.worse")
    assert "pope f1 is 79.5, was 84" in refused.json()["detail"]
    assert client.get("/v1/models/good@1").json()["deployed"]
    assert deploy(client, bad, F1 | {"tolerance": 5.0}).status_code == 200


def test_lower_can_be_better(client, measured) -> None:
    measured("som-llava-tiny", {"loss": 2.0}, registered=False)
    rule = {"benchmark": "pope", "metric": "loss", "lower_is_better": True}
    assert deploy(client, measured("down", {"loss": 1.0}), rule).status_code == 200
    assert deploy(client, measured("up", {"loss": 1.5}), rule).json()["code"] == "model.worse"


def test_without_comparable_evaluations_nothing_changes(client, measured) -> None:
    other = measured("other", {"f1": 90.0}, questions="other")
    unknown = deploy(client, other, F1)
    assert (unknown.status_code, unknown.json()["code"]) == (409, "model.unmeasured")
    measured("som-llava-tiny", {"f1": 80.0}, registered=False)
    assert "same questions" in deploy(client, other, F1).json()["detail"]
    assert "measures no `f2`" in deploy(client, measured("same", {"f1": 81.0}), F1 | {"metric": "f2"}).json()["detail"]
    assert not any(model["deployed"] for model in client.get("/v1/models").json()["data"] if model["version"])


def test_force_deploys_and_the_log_keeps_what_the_gate_said(client, measured) -> None:
    measured("som-llava-tiny", {"f1": 80.0}, registered=False)
    bad = measured("bad", {"f1": 70.0})
    assert deploy(client, bad, F1, force=True).json()["gate"][0]["kept"] is False
    entry = client.get("/v1/audit").json()["data"][0]
    assert entry["detail"]["force"] is True
    assert entry["detail"]["gate"][0]["new"] == 70.0
    assert client.post("/v1/models/rollback").json()["name"] == "som-llava-tiny"
