"""What operators see: a job's log lines name the request that ordered it, metrics tell how the installation stands."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, select, text

from app.catalog.session import transaction
from app.catalog.tables import JobRow
from app.main import create_app
from app.queue.outbox import enqueue
from app.settings import Settings
from app.telemetry.context import bound, labels
from app.telemetry.logs import start_logging
from tests.acceptance import effects
from tests.conftest import execute
from workers import presence
from workers.resources import Resources
from workers.runner import Runner


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]):
    """Start logging as a process does; returns a function that reads what was logged. The root logger is as before afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level

    def start(form: str):
        start_logging(Settings(log_format=form), "test")
        return _reader(capsys)

    yield start
    root.handlers[:], root.level = before[0], before[1]


def _reader(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    def read() -> list[str]:
        return capsys.readouterr().err.splitlines()

    return read


def test_a_json_line_says_what_it_belongs_to(lines) -> None:
    read = lines("json")
    with bound(request_id="r1"), bound(job_id="j1"):
        logging.getLogger("markwise.test").warning("it took %d ms", 5, extra={"bytes": 7})
    said = json.loads(read()[0])
    assert said["time"].startswith("20")
    expected = {"level": "WARNING", "logger": "markwise.test", "process": "test", "message": "it took 5 ms"}
    assert {name: said[name] for name in expected} == expected
    assert (said["request_id"], said["job_id"], said["bytes"]) == ("r1", "j1", 7)


def test_an_exception_is_one_json_line_and_a_text_record_keeps_its_trace_below(lines) -> None:
    def fail() -> None:
        raise ValueError("broken")

    for form in ("json", "text"):
        read = lines(form)
        with bound(request_id="r1"):
            try:
                fail()
            except ValueError:
                logging.getLogger("markwise.test").exception("it failed")
        said = read()
        if form == "json":
            (line,) = said
            assert "ValueError: broken" in json.loads(line)["exc_info"]
        else:
            assert said[0].endswith("it failed request_id=r1")
            assert said[-1] == "ValueError: broken"


def test_labels_end_with_their_block() -> None:
    with bound(request_id="r1"):
        with bound(request_id=None, job_id="j"):
            assert dict(labels()) == {"request_id": "r1", "job_id": "j"}
        assert dict(labels()) == {"request_id": "r1"}
    assert dict(labels()) == {}


def test_a_worker_logs_under_the_request_that_ordered_the_job(database, engine, tenant, lines) -> None:
    for statement in effects.TABLE.strip().split(";\n"):
        execute(database, statement)
    with bound(request_id="from-the-api"), transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="test.poison", queue="batch", payload={"fail": True}).id
    read = lines("json")
    resources = Resources(database)
    try:
        Runner(resources, {"test.poison": "tests.integration.app.test_telemetry:failing"}, worker="test").run(job_id)
    finally:
        resources.close()
    said = [json.loads(line) for line in read() if line.startswith("{")]
    inside = next(line for line in said if line["message"] == "at work")
    assert (inside["request_id"], inside["job_id"]) == ("from-the-api", str(job_id))


def failing(_job: object) -> None:
    """A handler that says where it is and fails."""
    logging.getLogger("markwise.test").warning("at work")
    raise ValueError


@pytest.fixture
def client(database: Settings, tmp_path) -> Iterator[TestClient]:
    with TestClient(create_app(database.model_copy(update={"blobs": str(tmp_path)}))) as made:
        yield made


def metrics(client: TestClient) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def test_queues_and_workers_are_told(client, database, engine: Engine, tenant: UUID, other_tenant: UUID) -> None:
    for of in (tenant, other_tenant):
        with transaction(engine, of) as session:
            enqueue(session, kind="import.create", queue="batch", payload={})
            session.execute(text("UPDATE jobs SET run_at = clock_timestamp() - interval '90 seconds'"))
    execute(
        database, "INSERT INTO worker_processes (name, queues) VALUES ('a', '{batch,train}'), ('b', '{batch,train}')"
    )
    found = metrics(client)
    assert found["markwise_jobs", "import.create", "batch", "queued"] == 2
    assert 89 < found["markwise_queue_age_seconds", "batch"] < 120
    assert found["markwise_queue_age_seconds", "interactive"] == 0
    assert found["markwise_workers", "batch,train"] == 2
    assert found["markwise_outbox",] == 2
    assert found["markwise_database_up",] == 1


def test_what_workers_see_of_their_gpus_is_told_once_for_each(client, queue_engine: Engine, monkeypatch) -> None:
    assert not [name for name in metrics(client) if name[0].startswith("markwise_gpu")]
    gpu = {"uuid": "GPU-1", "model": "H200", "used_bytes": 20, "total_bytes": 80, "own_bytes": 5}
    monkeypatch.setattr(presence, "seen", lambda: [gpu])
    workers = [presence.Presence(queue_engine, name, ("interactive",)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    while ("markwise_workers", "interactive") not in (found := metrics(client)) or found[
        "markwise_workers", "interactive"
    ] < 2:
        time.sleep(0.02)
    assert found["markwise_gpu_memory_used_bytes", "GPU-1", "H200"] == 20
    assert found["markwise_gpu_memory_total_bytes", "GPU-1", "H200"] == 80
    for worker in workers:
        worker.stop()
    assert not [name for name in metrics(client) if name[0].startswith("markwise_gpu")]


def test_requests_are_counted_by_route_and_not_by_id(client) -> None:
    before = metrics(client)
    for number in range(3):
        client.get(f"/v1/images/00000000-0000-0000-0000-00000000000{number}")
    client.get("/nowhere")
    after = metrics(client)
    key = ("markwise_requests_total", "GET", "/v1/images/{image_id}", "404")
    assert after[key] - before.get(key, 0) == 3
    assert not [name for name in after if "00000000-0000" in str(name)]
    assert ("markwise_requests_total", "GET", "unknown", "404") in after


def test_a_database_that_is_down_is_a_value(database: Settings, tmp_path) -> None:
    gone = "postgresql://nobody@127.0.0.1:1/none"
    settings = database.model_copy(update={"queue_database_url": gone, "blobs": str(tmp_path)})
    with TestClient(create_app(settings)) as client:
        assert metrics(client)["markwise_database_up",] == 0


def test_the_jobs_of_a_request_remember_it(client, engine: Engine) -> None:
    ordered = client.post("/v1/evaluations", json={}, headers={"X-Request-Id": "ordered-by-me"})
    assert ordered.status_code == 202, ordered.text
    with transaction(engine, None) as session:
        (local,) = session.scalars(text("SELECT id FROM tenants WHERE name = 'local'"))
    with transaction(engine, local) as session:
        (job,) = session.scalars(select(JobRow))
    assert job.trace == {"request_id": "ordered-by-me"}
