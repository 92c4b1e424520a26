"""Slow, rate-limited, broken and silent teachers; cancelled jobs, spent budgets, dead claims: every text exactly once."""

import statistics
import threading
from collections import Counter

import pytest
from sqlalchemy import text, update

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import ImageRow, JobItemRow, JobRow
from app.queue.control import cancel
from app.queue.outbox import enqueue
from app.services.jobs import retry
from app.storage.blobs import StoreUnavailable
from tests.acceptance.processes import wait_until
from workers.annotating import patience
from workers.handlers import HANDLERS
from workers.runner import Outcome, Runner

PROVIDED = {"regions": [{"bbox_xyxy_px": [2, 2, 30, 20]}, {"bbox_xyxy_px": [34, 2, 62, 20]}]}
"""Marks that no image of a desk has yet."""


def begun(desk, job_id) -> bool:
    return any(item.status == "running" for item in desk.items(job_id))


def ordinals(desk, job_id) -> Counter:
    return Counter((text.job_item, text.ordinal) for text in desk.texts(job_id))


def test_a_teacher_that_does_everything_wrong_now_and_then_loses_nothing(desk, runner, script, teacher) -> None:
    script.shares = {"rate": 0.15, "garbage": 0.1, "refusal": 0.1, "invented": 0.1, "cut": 0.05, "down": 0.05}
    script.retry_after_s, script.latency_s = 0.05, 0.01
    job_id = desk.order(desk.images(60), writer="vlm", tries=6, concurrency=8)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(60)})
    assert all(teacher[1].seen[name] for name in script.shares), "each trouble was met"
    usage = desk.job(job_id).usage
    well = sum(teacher[1].seen[name] for name in ("well", "refusal", "invented"))
    assert usage["prompt_tokens"] == 1000 * well, "every answer that came is paid for, once"


def test_no_more_is_asked_at_once_than_the_order_allows(desk, runner, script, teacher) -> None:
    script.latency_s = 0.05
    job_id = desk.order(desk.images(30), writer="vlm", concurrency=5)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert 3 <= teacher[1].most_seen <= 5


def test_a_teacher_that_is_away_sends_the_job_back_and_loses_no_try(
    desk, runner, script, monkeypatch, queue_engine
) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.5)
    script.down = True
    job_id = desk.order(desk.images(6), writer="vlm")
    assert runner.run(job_id) is Outcome.RELEASED
    job = desk.job(job_id)
    assert (job.status, job.error["code"], job.progress_done) == ("queued", "model.unavailable", 0)
    assert {(item.status, item.attempt, item.holder_id) for item in desk.items(job_id)} == {("queued", 0, None)}
    script.down = False
    monkeypatch.setattr(patience, "PATIENCE_S", 30.0)  # the circuit breaker stays open for 5 s
    with queue_transaction(queue_engine) as session:
        session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert len(desk.texts(job_id)) == 6


@pytest.mark.parametrize("marked", [True, False])
def test_a_store_that_is_away_sends_the_job_back_and_loses_no_try(
    desk, runner, resources, queue_engine, monkeypatch, marked
) -> None:
    """Whether the picture of stored marks is read for the teacher, or the image to be marked first."""
    images = desk.images(6)
    job_id = desk.order(images if marked else None, writer="vlm", marks=None if marked else PROVIDED)

    def away(*_: object, **__: object) -> bytes:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(resources.blobs, "get", away)
        for _ in range(4):
            assert runner.run(job_id) is Outcome.RELEASED
            job = desk.job(job_id)
            assert (job.status, job.error["code"], job.progress_done) == ("queued", "unavailable", 0)
            assert {(item.status, item.attempt) for item in desk.items(job_id)} == {("queued", 0)}
            with queue_transaction(queue_engine) as session:
                session.execute(text("UPDATE jobs SET run_at = clock_timestamp()"))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert len(desk.texts(job_id)) == 6


@pytest.mark.parametrize("spoilt", [None, b"no picture"])
def test_an_image_that_is_lost_or_damaged_fails_alone(desk, runner, resources, engine, tenant, spoilt) -> None:
    (lost, _), *_ = desk.images(3)
    with transaction(engine, tenant) as session:
        key = session.get_one(ImageRow, lost).blob_key
    resources.blobs.delete(key)
    if spoilt is not None:
        resources.blobs.put_if_absent(key, spoilt)
    job_id = desk.order(writer="vlm", marks=PROVIDED)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert sorted(item.status for item in desk.items(job_id)) == ["failed", "succeeded", "succeeded"]


def test_a_spent_budget_stops_the_job_where_a_retry_goes_on(desk, runner, engine, tenant) -> None:
    job_id = desk.order(desk.images(20), writer="vlm", budget={"tokens": 8_500})
    assert runner.run(job_id) is Outcome.FAILED
    job = desk.job(job_id)
    assert (job.error["code"], job.error["status"]) == ("budget.spent", 402)
    assert "12 items are left" in job.error["detail"]
    tokens = job.usage["prompt_tokens"] + job.usage["completion_tokens"]
    assert (job.progress_done, tokens) == (8, 8_400), "not a token over the budget"
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.FAILED
    assert desk.job(job_id).progress_done == 16
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(20)})
    assert desk.job(job_id).usage["calls"] == 20


def test_a_budget_in_money(desk, runner) -> None:
    order = {"budget": {"cost": 0.01}, "prices": {"prompt": 2.0, "completion": 10.0}}
    job_id = desk.order(desk.images(9), writer="vlm", **order)
    assert runner.run(job_id) is Outcome.FAILED
    assert desk.job(job_id).usage["cost"] == 0.01
    assert desk.job(job_id).progress_done == 4


def test_a_cancelled_job_keeps_what_is_done_and_a_retry_does_the_rest(desk, runner, script, engine, tenant) -> None:
    script.latency_s = 0.2
    job_id = desk.order(desk.images(40), writer="vlm", concurrency=2)
    thread = threading.Thread(target=runner.run, args=[job_id])
    thread.start()
    wait_until(lambda: desk.job(job_id).progress_done >= 4, within_s=60, every_s=0.02)
    with transaction(engine, tenant) as session:
        cancel(session, job_id)
    thread.join(60)
    job = desk.job(job_id)
    assert (job.status, len(desk.texts(job_id))) == ("cancelled", job.progress_done)
    assert 4 <= job.progress_done < 40
    script.latency_s = 0.0
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(40)})


def test_a_stopping_worker_puts_its_items_back(desk, resources, script) -> None:
    stopping = threading.Event()
    script.latency_s = 0.4
    job_id = desk.order(desk.images(30), writer="vlm", concurrency=4)
    thread = threading.Thread(
        target=Runner(resources, HANDLERS, worker="stopping", draining=stopping.is_set).run, args=[job_id]
    )
    thread.start()
    wait_until(lambda: desk.job(job_id).progress_done >= 4, within_s=60, every_s=0.02)
    stopping.set()
    thread.join(60)
    items = Counter(item.status for item in desk.items(job_id))
    assert set(items) == {"succeeded", "queued"}
    assert desk.job(job_id).status == "queued"
    assert Runner(resources, HANDLERS, worker="next").run(job_id) is Outcome.SUCCEEDED
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(30)})


def test_items_of_a_dead_claim_are_taken_over_and_its_late_answers_dropped(
    desk, resources, script, queue_engine
) -> None:
    script.latency_s = 2.0
    job_id = desk.order(desk.images(8), writer="vlm", concurrency=8)
    slow = Runner(resources, HANDLERS, worker="slow")
    thread = threading.Thread(target=slow.run, args=[job_id])
    thread.start()
    wait_until(lambda: begun(desk, job_id), within_s=60, every_s=0.02)
    with queue_transaction(queue_engine) as session:  # as if it had slept for longer than its lease
        session.execute(update(JobRow).values(attempt=JobRow.attempt + 1))
        session.execute(text("UPDATE jobs SET status = 'queued', lease_until = NULL, run_at = clock_timestamp()"))
    script.latency_s = 0.0
    assert Runner(resources, HANDLERS, worker="next").run(job_id) is Outcome.SUCCEEDED
    thread.join(60)
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(8)})
    assert {item.attempt for item in desk.items(job_id)} == {2}


def test_a_helper_shares_an_order_and_each_text_is_written_once(
    desk, resources, script, engine, tenant, queue_engine
) -> None:
    script.latency_s = 0.3  # the owner alone would take 2.3 s: time for a helper to start on a busy machine
    job_id = desk.order(desk.images(60), writer="vlm")
    with queue_transaction(queue_engine) as session:
        for name in ("one", "two"):
            session.execute(
                text("INSERT INTO worker_processes (name, queues) VALUES (:name, '{batch}')"), {"name": name}
            )
    owner = threading.Thread(target=Runner(resources, HANDLERS, worker="one").run, args=[job_id])
    owner.start()
    wait_until(lambda: helper_of(desk) is not None, within_s=60, every_s=0.02)
    help_id = helper_of(desk)
    assert Runner(resources, HANDLERS, worker="two").run(help_id) is Outcome.SUCCEEDED
    owner.join(60)
    assert desk.job(job_id).status == "succeeded"
    assert desk.job(help_id).result["items"] > 10
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(60)})
    assert desk.job(job_id).progress_done == 60


def test_the_questions_that_an_order_allows_are_shared_out(desk, resources, script, teacher, queue_engine) -> None:
    resources.settings = resources.settings.model_copy(update={"vlm_concurrency": 3})
    script.latency_s = 0.2
    job_id = desk.order(desk.images(60), writer="vlm", concurrency=5)
    with queue_transaction(queue_engine) as session:
        for name in ("one", "two", "three"):
            session.execute(
                text("INSERT INTO worker_processes (name, queues) VALUES (:name, '{batch}')"), {"name": name}
            )
    owner = threading.Thread(target=Runner(resources, HANDLERS, worker="one").run, args=[job_id])
    owner.start()
    wait_until(lambda: helper_of(desk) is not None, within_s=60, every_s=0.02)
    help_id = helper_of(desk)
    assert desk.job(help_id).payload["slots"] == 2, "what the owner's three leave of five"
    assert Runner(resources, HANDLERS, worker="two").run(help_id) is Outcome.SUCCEEDED
    owner.join(60)
    assert ordinals(desk, job_id) == Counter({(n, 0): 1 for n in range(60)})
    assert teacher[1].most_seen <= 5
    with transaction(desk.engine, desk.tenant) as session:
        held = session.scalars(text("SELECT CAST(payload ->> 'slots' AS int) FROM jobs WHERE kind = 'annotation.help'"))
        assert set(held) == {2}, "the third worker has nothing to ask"


def test_a_helper_of_a_cancelled_order_ends(desk, resources, engine, tenant) -> None:
    job_id = desk.order(desk.images(2), writer="vlm")
    with transaction(engine, tenant) as session:
        cancel(session, job_id)
        help_id = enqueue(session, kind="annotation.help", queue="batch", payload={"order_id": str(job_id)}).id
    assert Runner(resources, HANDLERS, worker="two").run(help_id) is Outcome.SUCCEEDED
    assert desk.job(help_id).result == {"items": 0}


def test_an_item_in_work_at_many_deaths_is_run_alone_and_not_lost(desk, runner, engine, tenant) -> None:
    job_id = desk.order(desk.images(5), writer="vlm")
    with transaction(engine, tenant) as session:
        session.execute(update(JobItemRow).where(JobItemRow.item == 2).values(attempt=4, status="running"))
        session.execute(update(JobItemRow).where(JobItemRow.item == 3).values(attempt=9, status="running"))
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert [item.status for item in desk.items(job_id)] == ["succeeded"] * 3 + ["failed", "succeeded"]
    assert desk.items(job_id)[3].error["code"] == "item.parked"
    with transaction(engine, tenant) as session:
        retry(session, job_id)
    assert runner.run(job_id) is Outcome.SUCCEEDED
    assert len(desk.texts(job_id)) == 5


def test_suspects_that_wait_for_their_turn_count_no_crash(desk, resources, script, engine, tenant) -> None:
    script.latency_s = 0.5
    job_id = desk.order(desk.images(4), writer="vlm", concurrency=4)
    with transaction(engine, tenant) as session:
        session.execute(update(JobItemRow).values(attempt=3))
    thread = threading.Thread(target=Runner(resources, HANDLERS, worker="one").run, args=[job_id])
    thread.start()
    wait_until(lambda: begun(desk, job_id), within_s=60, every_s=0.02)
    held = []
    while thread.is_alive():
        held.append(sum(item.status == "running" for item in desk.items(job_id)))
        thread.join(0.05)
    assert desk.job(job_id).status == "succeeded"
    # Between taking some and giving all but one back, a look may see more.
    assert statistics.median(held) <= 1
    assert {item.attempt for item in desk.items(job_id)} == {4}


def test_a_suspect_is_begun_when_nothing_else_is_in_work_and_nothing_is_begun_beside_it(
    desk, resources, script, engine, tenant
) -> None:
    script.latency_s = 0.5
    job_id = desk.order(desk.images(18), writer="vlm", concurrency=6)
    with transaction(engine, tenant) as session:
        session.execute(update(JobItemRow).where(JobItemRow.item == 1).values(attempt=2))
    thread = threading.Thread(target=Runner(resources, HANDLERS, worker="one").run, args=[job_id])
    thread.start()
    beside = []
    while thread.is_alive():
        running = {item.item for item in desk.items(job_id) if item.status == "running"}
        beside += [len(running) - 1] if 1 in running else []
        thread.join(0.02)
    assert desk.job(job_id).status == "succeeded"
    # Between taking it among others and giving it back, a look may see more.
    assert statistics.median(beside) == 0
    assert desk.items(job_id)[1].attempt == 3


def test_a_text_whose_image_was_deleted_meanwhile_fails_alone(desk, runner, script, teacher, engine, tenant) -> None:
    script.latency_s = 1.0
    marked = desk.images(4)
    job_id = desk.order(marked, writer="vlm", concurrency=4)
    thread = threading.Thread(target=runner.run, args=[job_id])
    thread.start()
    wait_until(lambda: teacher[1].at_once == 4, within_s=60, every_s=0.02)  # all are looked up by now
    with transaction(engine, tenant) as session:
        session.execute(text("DELETE FROM images WHERE id = :id"), {"id": marked[1][0]})
    thread.join(60)
    assert [item.status for item in desk.items(job_id)] == ["succeeded", "failed", "succeeded", "succeeded"]
    assert desk.items(job_id)[1].error["code"] == "item.unstorable"


def helper_of(desk):
    with transaction(desk.engine, desk.tenant) as session:
        return session.scalar(text("SELECT id FROM jobs WHERE kind = 'annotation.help' LIMIT 1"))
