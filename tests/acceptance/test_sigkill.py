"""The promise of the queue: whatever dies, no acknowledged job is lost, none has two effects, none stays stuck.

Workers are killed without warning, with everything they forked, while 200 jobs run; Redis is wiped on the way.
"""

import random
import shutil
import signal
import time
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy import Engine, func, select, text

from app.catalog.session import transaction
from app.catalog.tables import JobItemRow, JobRow
from app.queue.outbox import enqueue
from app.settings import Settings
from app.stack import redis_server
from app.stack.layout import DataFolder
from app.stack.processes import spawn, stop
from tests.acceptance.processes import Processes, wait_until

JOBS = 200
WORKERS = 3


def count(settings: Settings, statement: str) -> int:
    with psycopg.connect(str(settings.database_url)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_killed_workers_lose_nothing_and_repeat_nothing(
    effects_database: Settings, engine: Engine, tenant: object, processes: Processes
) -> None:
    random_seconds = random.Random(7)
    processes.housekeeping()
    workers = [processes.worker() for _ in range(WORKERS)]
    acknowledged = []
    for _ in range(JOBS):
        with transaction(engine, tenant) as session:
            payload = {"seconds": random_seconds.uniform(0.02, 0.3)}
            acknowledged.append(
                enqueue(session, kind="test.effect", queue="batch", payload=payload, max_attempts=20).id
            )

    kills, next_kill_at, wiped = 0, time.monotonic() + 3, False
    unfinished = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
    deadline = time.monotonic() + 120
    while (left := count(effects_database, unfinished)) and time.monotonic() < deadline:
        if time.monotonic() >= next_kill_at:
            victim = kills % WORKERS
            processes.kill(workers[victim])
            workers[victim].wait(10)
            workers[victim] = processes.worker()
            kills, next_kill_at = kills + 1, time.monotonic() + 2
        if left < JOBS / 2 and not wiped:
            with redis.Redis.from_url(str(effects_database.redis_url)) as client:
                client.flushall()
            wiped = True
        time.sleep(0.1)

    assert kills >= 3, "the jobs were done before the test had killed anybody"
    assert count(effects_database, unfinished) == 0, "stuck"
    assert count(effects_database, "SELECT count(*) FROM jobs WHERE status <> 'succeeded'") == 0
    with psycopg.connect(str(effects_database.database_url)) as connection:
        effects = connection.execute("SELECT job_id, count(*) FROM effects GROUP BY job_id").fetchall()
    assert sorted(row[0] for row in effects) == sorted(acknowledged), "lost"
    assert [row for row in effects if row[1] != 1] == [], "duplicated"
    redone = count(effects_database, "SELECT sum(attempt) - count(*) FROM jobs")
    print(f"\n{JOBS} jobs, {kills} kills, {redone} redone")


@pytest.mark.slow
def test_a_job_that_kills_its_worker_is_parked_and_the_others_get_done(
    effects_database: Settings, engine: Engine, tenant: object, processes: Processes
) -> None:
    processes.housekeeping()
    processes.worker()
    with transaction(engine, tenant) as session:
        bad = enqueue(session, kind="test.poison", queue="batch", payload={}).id
        good = [enqueue(session, kind="test.effect", queue="batch", payload={}).id for _ in range(10)]
    wait_until(lambda: count(effects_database, "SELECT count(*) FROM jobs WHERE finished_at IS NULL") == 0, within_s=60)
    with transaction(engine, tenant) as session:
        parked = session.get(JobRow, bad)
        assert parked is not None
        assert (parked.status, parked.attempt, (parked.error or {})["code"]) == ("failed", 3, "job.parked")
        done = session.scalar(select(func.count()).where(JobRow.id.in_(good), JobRow.status == "succeeded"))
    assert done == len(good)


@pytest.mark.slow
def test_a_poisonous_item_is_set_aside_and_the_job_finishes_the_rest_once(
    effects_database: Settings, engine: Engine, tenant: object, processes: Processes
) -> None:
    processes.housekeeping()
    processes.worker()
    items = [{"poison": number == 3} for number in range(8)]
    with transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="test.items", queue="batch", payload={}, items=items).id
    wait_until(lambda: count(effects_database, "SELECT count(*) FROM jobs WHERE finished_at IS NULL") == 0, within_s=60)
    with transaction(engine, tenant) as session:
        job = session.get(JobRow, job_id)
        assert job is not None
        assert (job.status, job.progress_done, job.progress_failed) == ("succeeded", 8, 1)
        parked = session.scalars(select(JobItemRow).where(JobItemRow.status == "failed")).all()
        assert [(item.item, (item.error or {})["code"]) for item in parked] == [(3, "item.parked")]
        rows = session.execute(text("SELECT item, count(*) FROM effects GROUP BY item ORDER BY item")).all()
    assert [tuple(row) for row in rows] == [(number, 1) for number in range(8) if number != 3]


@pytest.mark.slow
def test_a_worker_that_sleeps_past_its_lease_writes_nothing_when_it_wakes(
    effects_database: Settings, engine: Engine, tenant: object, processes: Processes
) -> None:
    processes.housekeeping()
    sleeper = processes.worker()
    with transaction(engine, tenant) as session:
        job_id = enqueue(session, kind="test.effect", queue="batch", payload={"seconds": 1.5}).id
    wait_until(lambda: count(effects_database, "SELECT count(*) FROM jobs WHERE status = 'running'") == 1, within_s=20)
    processes.kill(sleeper, signal.SIGSTOP)
    processes.worker()
    wait_until(
        lambda: count(effects_database, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == 1, within_s=40
    )
    processes.kill(sleeper, signal.SIGCONT)
    time.sleep(4)
    assert count(effects_database, "SELECT count(*) FROM effects") == 1
    with transaction(engine, tenant) as session:
        job = session.get(JobRow, job_id)
        assert job is not None
        assert (job.status, job.attempt, job.result) == ("succeeded", 2, {"attempt": 2})


def test_a_worker_told_to_stop_gives_its_job_back_and_ends_soon(
    effects_database: Settings, engine: Engine, tenant: object, processes: Processes
) -> None:
    processes.housekeeping()
    worker = processes.worker()
    with transaction(engine, tenant) as session:
        enqueue(session, kind="test.effect", queue="batch", payload={"seconds": 60}, max_attempts=1)
    wait_until(lambda: count(effects_database, "SELECT count(*) FROM jobs WHERE status = 'running'") == 1, within_s=20)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(8) == 0
    assert count(effects_database, "SELECT count(*) FROM jobs WHERE status = 'queued' AND max_attempts = 2") == 1
    assert count(effects_database, "SELECT count(*) FROM worker_processes") == 0


def test_orders_are_taken_while_redis_is_away_and_done_when_it_is_back(
    effects_database: Settings, engine: Engine, tenant: object, tmp_path: Path
) -> None:
    away = effects_database.model_copy(update={"redis_url": f"unix://{tmp_path}/none.sock?db=0"})
    processes = Processes(away, tmp_path / "away.log")
    back = Processes(effects_database, tmp_path / "back.log")
    try:
        processes.housekeeping()
        with transaction(engine, tenant) as session:
            enqueue(session, kind="test.effect", queue="batch", payload={})
        wait_until(lambda: "Redis does not answer" in processes.log.read_text(), within_s=20)
        assert count(effects_database, "SELECT count(*) FROM outbox") == 1
        processes.stop()
        back.housekeeping()
        back.worker()
        wait_until(lambda: count(effects_database, "SELECT count(*) FROM effects") == 1, within_s=30)
    finally:
        processes.stop()
        back.stop()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killing_redis_twice_loses_nothing(
    effects_database: Settings, engine: Engine, tenant: object, tmp_path: Path
) -> None:
    folder = DataFolder(home=tmp_path / "redis-home")
    folder.create()
    spec = redis_server.spec(folder)
    settings = effects_database.model_copy(update={"redis_url": redis_server.url(folder)})
    processes = Processes(settings, tmp_path / "processes.log")
    with (tmp_path / "redis.log").open("ab") as log:
        server = spawn(spec, output=log)
        try:
            processes.housekeeping()
            workers = [processes.worker()]

            def all_done() -> bool:
                # Celery may lose its consumer in a reconnect; the watchdog ends such a worker, and `serve` starts it again.
                if workers[-1].poll() is not None:
                    workers.append(processes.worker())
                return count(settings, "SELECT count(*) FROM jobs WHERE status = 'succeeded'") == 60

            for batch in range(3):
                for _ in range(20):
                    with transaction(engine, tenant) as session:
                        enqueue(session, kind="test.effect", queue="batch", payload={"seconds": 0.05})
                if batch < 2:
                    time.sleep(1.5)
                    server.kill()
                    server.wait(5)
                    time.sleep(1)
                    server = spawn(spec, output=log)
            took_s = wait_until(all_done, within_s=120)
            assert count(settings, "SELECT count(*) FROM effects") == 60
            print(
                f"\nafter Redis was back for good: {took_s:.1f} s, {len(workers) - 1} workers ended by their watchdog"
            )
        finally:
            processes.stop()
            stop(server, spec)
            shutil.rmtree(folder.sockets, ignore_errors=True)
