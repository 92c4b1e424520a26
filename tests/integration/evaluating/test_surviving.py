"""Workers are killed while the shipped model is measured: every answer is there, and at most one batch is asked again per kill."""

import signal
import time

import pytest
from sqlalchemy import select

from app.catalog.session import transaction
from app.catalog.tables import JobItemRow
from tests.acceptance.processes import Processes

BATCH, KILLS, ASKED = 8, 2, 48


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_killed_workers_lose_no_answer(desk, settings, engine, tenant, tmp_path) -> None:
    processes = Processes(settings, tmp_path / "log")
    worker = ("workers.main", "--queues", "batch", "--concurrency", "1")
    kills, next_at = 0, 1
    try:
        processes.housekeeping()
        running = processes.start(*worker)
        job_id = desk.order(benchmark="refer", n=ASKED)
        while (job := desk.job(job_id)).status not in {"succeeded", "failed"}:
            if kills < KILLS and job.progress_done >= next_at:
                # Past the batch that this kill interrupts: a question that was under way at two kills is set aside.
                next_at = job.progress_done + BATCH + 1
                processes.kill(running, signal.SIGKILL)
                running.wait(10)
                kills += 1
                running = processes.start(*worker)
            time.sleep(0.02)
    finally:
        processes.stop()
    assert kills == KILLS, "the evaluation was done before the test had killed anybody"
    assert desk.job(job_id).progress_done == ASKED
    (row,) = desk.evaluations()
    assert row.metrics["n"] == ASKED
    assert [item.position for item in desk.items(row)] == list(range(ASKED))
    with transaction(engine, tenant) as session:
        attempts = session.scalars(select(JobItemRow.attempt).where(JobItemRow.job_id == job_id)).all()
    assert len(attempts) == ASKED
    assert sum(attempts) - ASKED <= kills * BATCH
