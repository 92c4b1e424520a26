"""Handlers and a worker entry point for the tests: `python -m tests.acceptance.effects --queues batch`.

Every handler's effect is a row in `effects`, a table without any constraint, so that a duplicate would show.
"""

import argparse
import ctypes
import fcntl
import os
import resource
import signal
import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.settings import Settings
from models.errors import BackendDown, BadImage
from workers.context import JobContext
from workers.main import run_worker

REGISTRY = {
    f"test.{name}": f"tests.acceptance.effects:{name}"
    for name in ("effect", "items", "poison", "hungry", "alone", "down", "bad", "timed")
}
TABLE = """
    CREATE TABLE effects (job_id uuid NOT NULL, item int, attempt int NOT NULL, worker_saw timestamptz DEFAULT clock_timestamp());
    GRANT SELECT, INSERT ON effects TO markwise_app;
"""


def _insert(job: JobContext, session: Session, item: int | None = None) -> dict[str, object]:
    row = {"job": job.job_id, "item": item, "attempt": job.attempt}
    session.execute(text("INSERT INTO effects (job_id, item, attempt) VALUES (:job, :item, :attempt)"), row)
    return {"attempt": job.attempt}


def effect(job: JobContext) -> None:
    """Work for a while, then one effect."""
    until = time.monotonic() + float(job.payload.get("seconds", 0))
    while time.monotonic() < until:
        job.checkpoint()
        time.sleep(0.01)
    job.finish(lambda session: _insert(job, session))


def items(job: JobContext) -> dict[str, object]:
    """One effect per item; an item may be poisonous or bad."""
    for item in job.items():
        if item.payload.get("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        if item.payload.get("bad"):
            job.fail_item(item, {"code": "item.bad"})
            continue
        time.sleep(float(item.payload.get("seconds", 0)))
        job.finish_item(item, lambda session, item=item: _insert(job, session, item.number))
    return {"done": True}


def poison(job: JobContext) -> None:
    """End the worker, in the way that the payload says."""
    match job.payload.get("how"):
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "leave":
            os._exit(3)
    os.kill(os.getpid(), signal.SIGKILL)


def hungry(job: JobContext) -> None:
    """Ask for two gigabytes and get none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, hard))
    try:
        bytearray(2 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def alone(job: JobContext) -> None:
    """Like `effect`, but told by the kernel if somebody else holds the job: a line in the file `shared` then."""
    with Path(job.payload["lock"]).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.write(f"{job.attempt}\n")
        effect(job)


def down(job: JobContext) -> None:
    """A dependency that is away until a file appears."""
    if not Path(job.payload["until"]).exists():
        raise BackendDown("The model server does not answer.")
    job.finish(lambda session: _insert(job, session))


def bad(job: JobContext) -> None:
    """An input that can never work."""
    raise BadImage("The image has no pixels.")


def timed(job: JobContext) -> None:
    """Tell when the work began, by the clock of this machine."""
    began_at = time.time()
    job.finish(lambda _session: {"began_at": began_at})


def main() -> None:
    """Serve the test kinds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--queues", required=True)
    parser.add_argument("--concurrency", type=int, default=1)
    arguments = parser.parse_args()
    run_worker(Settings(), tuple(arguments.queues.split(",")), arguments.concurrency, registry=REGISTRY)


if __name__ == "__main__":
    main()
