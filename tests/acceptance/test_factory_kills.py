"""Workers are killed while a teacher that misbehaves writes texts: every text exactly once.

The short form of `python -m tests.bench.factory kills` (2,000 images, 8 workers, a kill every 5 s).
"""

import random
import time
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.settings import Settings
from tests import factory_stand as stand
from tests.acceptance.processes import Processes
from tests.fake_teacher import Script, teaching

IMAGES, WORKERS, KILL_EVERY_S = 240, 3, 3.0
SHARES = {"rate": 0.05, "garbage": 0.05, "refusal": 0.05, "invented": 0.05, "cut": 0.02, "slow": 0.02}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_workers_and_a_bad_teacher_write_every_text_once(
    database: Settings, engine: Engine, tenant: UUID, tmp_path: Path
) -> None:
    script = Script(latency_s=0.8, shares=SHARES, retry_after_s=0.3, slow_s=2.0)
    with teaching(script) as (url, teacher):
        settings = database.model_copy(
            update={
                # On a busy machine a shorter lease runs out under a worker that lives, and an item seems to have killed it.
                "lease_s": 5.0,
                "heartbeat_s": 0.75,
                "reap_every_s": 0.5,
                "hint_resend_s": 2.0,
                "blobs": str(tmp_path / "blobs"),
                "vlm_url": url,
                "vlm_probe": False,
            }
        )
        processes = Processes(settings, tmp_path / "processes.log")
        try:
            kills = _run(processes, settings, engine, tenant)
        finally:
            processes.stop()
    assert kills >= 2, "the test is over before it began"
    assert teacher.seen["rate"]
    assert teacher.seen["refusal"]


def _run(processes: Processes, settings: Settings, engine: Engine, tenant: UUID) -> int:
    job_id = stand.order(engine, tenant, stand.fill(engine, settings, tenant, IMAGES), writer="vlm", tries=6)
    processes.start("workers.housekeeping")
    workers = [processes.start("workers.main", "--queues", "batch") for _ in range(WORKERS)]
    draw, kills, done, kill_at = random.Random(0), 0, 0, 0.0
    until = time.monotonic() + 240
    while (job := stand.job_of(engine, tenant, job_id)).status not in ("succeeded", "failed"):
        assert time.monotonic() < until, (
            f"{job.progress_done} done\n{processes.log.read_text(errors='replace')[-4_000:]}"
        )
        # On a busy machine a worker takes longer to start than it would be left alive: something must get done in between.
        if time.monotonic() > kill_at and job.progress_done > done:
            victim = draw.randrange(WORKERS)
            processes.kill(workers[victim])
            workers[victim] = processes.start("workers.main", "--queues", "batch")
            kills, done, kill_at = kills + 1, job.progress_done, time.monotonic() + KILL_EVERY_S
        time.sleep(0.1)
    found = stand.counts(engine, tenant, job_id)
    assert (job.status, job.progress_done, job.progress_failed) == ("succeeded", IMAGES, 0), found
    assert (found["succeeded"], found["texts"], found["not_once"]) == (IMAGES, IMAGES, 0)
    return kills
