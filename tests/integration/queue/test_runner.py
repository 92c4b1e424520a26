"""One attempt at a job, in this process: what commits, what is retried, what ends."""

import threading
import time

import pytest
from sqlalchemy import select, text

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobEventRow, JobItemRow
from app.errors import Conflict
from app.queue.control import cancel, retry
from tests.acceptance import effects
from tests.acceptance.processes import wait_until
from tests.integration.queue.conftest import count_effects
from workers.runner import Outcome, Runner


def test_effect_state_and_event_commit_together(order, runner, job, engine, tenant) -> None:
    job_id = order()
    assert runner.run(job_id) is Outcome.SUCCEEDED
    done = job(job_id)
    assert (done.status, done.result, done.lease_until) == ("succeeded", {"attempt": 1}, None)
    assert done.finished_at is not None
    assert count_effects(engine, tenant) == 1
    with transaction(engine, tenant) as session:
        assert session.scalars(select(JobEventRow.type)).all() == ["completed"]


def test_a_repeated_hint_changes_nothing(order, runner, engine, tenant) -> None:
    job_id = order()
    outcomes = [runner.run(job_id) for _ in range(3)]
    assert outcomes == [Outcome.SUCCEEDED, Outcome.NOT_OURS, Outcome.NOT_OURS]
    assert count_effects(engine, tenant) == 1


def test_a_dependency_that_is_down_is_tried_again_and_does_not_count(
    order, runner, job, queue_engine, tmp_path
) -> None:
    job_id = order("test.down", payload={"until": str(tmp_path / "up")}, max_attempts=1)
    for attempt in (1, 2, 3):
        assert runner.run(job_id) is Outcome.RELEASED
        waiting = job(job_id)
        assert (waiting.status, waiting.attempt, waiting.error["code"]) == ("queued", attempt, "model.unavailable")
        assert runner.run(job_id) is Outcome.NOT_OURS, "too early"
        with queue_transaction(queue_engine) as session:
            session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    (tmp_path / "up").touch()
    assert runner.run(job_id) is Outcome.SUCCEEDED


def test_a_bad_input_fails_at_once_with_our_own_words(order, runner, job) -> None:
    job_id = order("test.bad")
    assert runner.run(job_id) is Outcome.FAILED
    expected = {
        "code": "image.bad",
        "title": "The image cannot be used",
        "status": 422,
        "detail": "The image has no pixels.",
    }
    assert job(job_id).error == expected


def test_an_unexpected_error_shows_nothing_of_itself(order, resources, job, monkeypatch) -> None:
    def explode(_job: object) -> None:
        raise KeyError("/home/somebody/secret")

    monkeypatch.setattr(effects, "effect", explode)
    job_id = order()
    assert Runner(resources, effects.REGISTRY, worker="test").run(job_id) is Outcome.FAILED
    assert job(job_id).error["code"] == "internal"
    assert "secret" not in str(job(job_id).error)


def test_an_unknown_kind_is_left_for_a_newer_worker_and_then_fails(order, runner, job, queue_engine) -> None:
    job_id = order("test.unknown", max_attempts=2)
    assert runner.run(job_id) is Outcome.RELEASED
    with queue_transaction(queue_engine) as session:
        session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    assert runner.run(job_id) is Outcome.FAILED
    assert job(job_id).error["code"] == "job.unknown_kind"


def test_a_running_job_is_cancelled_at_its_next_heartbeat(order, runner, job, engine, tenant) -> None:
    job_id = order(payload={"seconds": 20})
    outcome: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcome.append(runner.run(job_id)))
    thread.start()
    wait_until(lambda: job(job_id).status == "running", within_s=10, every_s=0.01)
    started_at = time.monotonic()
    with transaction(engine, tenant) as session:
        cancel(session, job_id)
    thread.join(10)
    assert outcome == [Outcome.CANCELLED]
    assert time.monotonic() - started_at < 3
    assert job(job_id).status == "cancelled"
    assert count_effects(engine, tenant) == 0


def test_a_worker_that_lost_its_lease_stops_and_writes_nothing(
    order, runner, job, engine, tenant, queue_engine
) -> None:
    job_id = order(payload={"seconds": 20})
    outcome: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcome.append(runner.run(job_id)))
    thread.start()
    wait_until(lambda: job(job_id).status == "running", within_s=10, every_s=0.01)
    with queue_transaction(queue_engine) as session:  # as if it had slept, and another had taken over
        session.execute(text("UPDATE jobs SET attempt = attempt + 1"))
    thread.join(10)
    assert outcome == [Outcome.LOST]
    assert count_effects(engine, tenant) == 0


def test_a_stopping_worker_gives_its_job_back_at_no_cost(order, resources, job) -> None:
    stopping = threading.Event()
    runner = Runner(resources, effects.REGISTRY, worker="test", draining=stopping.is_set)
    job_id = order(payload={"seconds": 20}, max_attempts=1)
    outcome: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcome.append(runner.run(job_id)))
    thread.start()
    wait_until(lambda: job(job_id).status == "running", within_s=10, every_s=0.01)
    stopping.set()
    thread.join(10)
    assert outcome == [Outcome.RELEASED]
    assert (job(job_id).status, job(job_id).max_attempts) == ("queued", 2)


def test_items_that_are_done_are_not_done_again(order, resources, runner, job, engine, tenant, monkeypatch) -> None:
    job_id = order("test.items", items=[{"bad": number == 1} for number in range(4)])
    assert runner.run(job_id) is Outcome.SUCCEEDED
    done = job(job_id)
    assert (done.progress_done, done.progress_total, done.progress_failed) == (4, 4, 1)
    with transaction(engine, tenant) as session:
        session.execute(text("UPDATE job_items SET payload = '{}' WHERE item = 1"))
        retry(session, job_id)
    assert (job(job_id).progress_done, job(job_id).progress_failed) == (3, 0)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    with transaction(engine, tenant) as session:
        rows = session.execute(text("SELECT item, count(*) FROM effects GROUP BY item ORDER BY item")).all()
        statuses = session.scalars(select(JobItemRow.status)).all()
    assert [tuple(row) for row in rows] == [(0, 1), (1, 1), (2, 1), (3, 1)]
    assert set(statuses) == {"succeeded"}


def test_a_batch_of_which_every_item_failed_has_failed(order, runner, job) -> None:
    job_id = order("test.items", items=[{"bad": True}, {"bad": True}])
    assert runner.run(job_id) is Outcome.FAILED
    assert job(job_id).error["code"] == "items.all_failed"


def test_only_a_finished_job_can_be_retried(order, engine, tenant) -> None:
    job_id = order()
    with pytest.raises(Conflict), transaction(engine, tenant) as session:
        retry(session, job_id)


def test_a_queued_job_is_cancelled_at_once(order, engine, tenant, runner, job) -> None:
    job_id = order(items=[{}])
    with transaction(engine, tenant) as session:
        assert cancel(session, job_id).status == "cancelled"
    assert runner.run(job_id) is Outcome.NOT_OURS
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert job(job_id).status == "queued"
