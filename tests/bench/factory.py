"""The annotation factory measured: `python -m tests.bench.factory [PART...]`. Real Postgres, Redis and workers.

rules: listings of 100,000 synthetic marked images, records per second and memory. workers, questions: items per second by
workers of 8 questions each and by questions at once, against a teacher that takes 3 s. limited: one that allows only so
many at once. kills: 2,000 images, 8 workers, one killed every 5 s, a teacher that misbehaves; every text exactly once.
Each part takes one to four minutes and replaces its own numbers in results/factory/factory.json.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
from sqlalchemy import Engine

from app.catalog import session as catalog_session
from app.settings import Settings
from app.stack import embedded
from app.stack.layout import DataFolder
from app.stack.migrate import migrate
from tests import factory_stand as stand
from tests.acceptance.processes import Processes
from tests.conftest import add_tenant

RESULTS = Path(__file__).parent / "results" / "factory"
RECORDS = 100_000
SHARES = {"rate": 0.05, "garbage": 0.05, "refusal": 0.05, "invented": 0.05, "cut": 0.02, "slow": 0.02}


class Stand:
    """A stack with a tenant, and what the measurements do with it."""

    def __init__(self, settings: Settings, tenant: UUID, folder: Path) -> None:
        self.settings, self.tenant, self.folder = settings, tenant, folder
        self.engine: Engine = catalog_session.app_engine(settings)
        self.processes = Processes(settings, folder / "processes.log")

    def workers(self, count: int) -> list[Any]:
        """Start workers and wait until the catalog knows of all of them."""
        started = [self.processes.start("workers.main", "--queues", "batch") for _ in range(count)]
        with psycopg.connect(str(self.settings.database_url), autocommit=True) as connection:
            while connection.execute("SELECT count(*) FROM worker_processes").fetchone() != (count,):
                time.sleep(0.1)
        return started

    @property
    def database_pid(self) -> int:
        """The process that all of Postgres belongs to."""
        return int((DataFolder(home=self.folder).postgres / "postmaster.pid").read_text().split()[0])

    def end(self, processes: list[Any]) -> None:
        """Kill processes and forget them."""
        for process in processes:
            self.processes.kill(process)
            process.wait(10)
        self.execute("DELETE FROM worker_processes")

    def execute(self, statement: str) -> None:
        """Run one statement as the owner."""
        with psycopg.connect(str(self.settings.database_url), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def teacher_process(**given: Any) -> Iterator[tuple[str, psutil.Process]]:
    """A teacher in a process of its own, so that it takes nothing from the interpreter that is measured: its address, and it."""
    arguments = [item for name, value in given.items() for item in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "tests.fake_teacher", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), psutil.Process(process.pid)
        finally:
            process.kill()


@contextmanager
def standing(**changes: Any) -> Iterator[Stand]:
    """A started stack in a folder of its own, with durable writes as in production."""
    home = Path(tempfile.mkdtemp(prefix="mw-"))
    home.chmod(0o711)
    with embedded.started(Settings(home=home, profile="embedded")) as settings:
        migrate(settings)
        tuned = settings.model_copy(update={"vlm_probe": False, "blobs": str(home / "blobs"), **changes})
        made = Stand(tuned, add_tenant(settings, "bench"), home)
        made.processes.start("workers.housekeeping")
        try:
            yield made
        finally:
            made.processes.stop()
            made.engine.dispose()


def progress(stood: Stand, job_id: UUID, look: Callable[[int], None], *, every_s: float = 0.2) -> Any:
    """Follow a job to its end; `look` hears how many items are done."""
    while True:
        job = stand.job_of(stood.engine, stood.tenant, job_id)
        look(job.progress_done)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(every_s)


def rules(count: int) -> dict[str, Any]:
    """List `count` synthetic records with one worker; its memory is looked at all the time."""
    with standing(pool_size=4) as stood:
        began = time.perf_counter()
        pairs = stand.fill(stood.engine, stood.settings, stood.tenant, count)
        print(
            f"rules: {count} images with {stand.MARKS} marks each in the catalog after {time.perf_counter() - began:.0f} s"
        )
        workers = stood.workers(1)
        began = time.perf_counter()
        job_id = stand.order(stood.engine, stood.tenant, pairs)
        ordered_s = time.perf_counter() - began
        child = _pool_child(workers[0].pid)
        seen: list[tuple[float, int, float]] = []

        def look(done: int) -> None:
            if done:
                seen.append((time.perf_counter(), done, child.memory_info().rss / 2**20))

        job = progress(stood, job_id, look)
        cpu_s = sum(child.cpu_times()[:2])
        found = stand.counts(stood.engine, stood.tenant, job_id)
        assert (job.status, found["texts"], found["not_once"]) == ("succeeded", count, 0), found
        first, last = seen[0], seen[-1]
        tenth = next(entry for entry in seen if entry[1] >= count / 10)
        result = {
            "records": count,
            "order_s": round(ordered_s, 1),
            "records_per_s": round((last[1] - first[1]) / (last[0] - first[0])),
            "worker_cpu_s": round(cpu_s, 1),
            "memory_mib_at_a_tenth": round(tenth[2]),
            "memory_mib_at_the_end": round(last[2]),
        }
        print(f"rules: {result}")
        return result


def _pool_child(pid: int) -> psutil.Process:
    while True:
        children = psutil.Process(pid).children()
        if children:
            return children[0]
        time.sleep(0.05)


def by_workers(latency_ms: int) -> dict[str, Any]:
    """Items per second with 1 to 8 workers of 8 questions each."""
    with teacher_process(latency_ms=latency_ms) as (url, teacher), standing(vlm_url=url) as stood:
        pairs = stand.fill(stood.engine, stood.settings, stood.tenant, 800)
        rows = [
            _row(count, _rate(stood, teacher, pairs[: 96 * count], workers=count), 8000 * count / latency_ms)
            for count in (1, 2, 4, 8)
        ]
    return {"latency_ms": latency_ms, "rows": rows}


def by_questions(latency_ms: int) -> dict[str, Any]:
    """Items per second with 1 to 64 questions at once in one worker."""
    with (
        teacher_process(latency_ms=latency_ms) as (url, teacher),
        standing(vlm_url=url, vlm_concurrency=64) as stood,
    ):
        pairs = stand.fill(stood.engine, stood.settings, stood.tenant, 800)
        rows = [
            _row(
                count,
                _rate(stood, teacher, pairs[: max(16, 12 * count)], workers=1, concurrency=count),
                1000 * count / latency_ms,
            )
            for count in (1, 4, 16, 64)
        ]
    return {"latency_ms": latency_ms, "rows": rows}


def limited(latency_ms: int, limit: int = 16) -> dict[str, Any]:
    """Items per second with 1 to 4 workers of 8 questions each, when the teacher answers 429 beyond 16 at once."""
    given = {"latency_ms": latency_ms, "most_at_once": limit}
    with teacher_process(**given) as (url, teacher), standing(vlm_url=url) as stood:
        pairs = stand.fill(stood.engine, stood.settings, stood.tenant, 400)
        rows = [
            _row(
                count,
                _rate(stood, teacher, pairs[: 100 * count], workers=count),
                1000 * min(limit, 8 * count) / latency_ms,
            )
            for count in (1, 2, 4)
        ]
    return {"latency_ms": latency_ms, "at_once": limit, "rows": rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """Items per second, and what one item took of the processor: in the workers, in the database, in the teacher itself."""

    items_per_s: float
    worker_cpu_ms: float
    database_cpu_ms: float
    teacher_cpu_ms: float


def _rate(
    stood: Stand,
    teacher: psutil.Process,
    pairs: list[tuple[UUID, UUID]],
    *,
    workers: int,
    concurrency: int | None = None,
) -> _Rate:
    """Measure between three and nine tenths of an order, so that starting and ending do not count.

    From one ending to another: questions that are asked together end together, and a clock that runs on until just before the
    next of them have ended counts a whole round too much.
    """
    started = stood.workers(workers)
    database = psutil.Process(stood.database_pid)
    job_id = stand.order(stood.engine, stood.tenant, pairs, writer="vlm", concurrency=concurrency)
    seen: list[tuple[float, int, list[float]]] = []

    def look(done: int) -> None:
        if not seen or seen[-1][1] != done:
            of = [sum(_cpu_s(psutil.Process(worker.pid)) for worker in started), _cpu_s(database), _cpu_s(teacher)]
            seen.append((time.perf_counter(), done, of))

    job = progress(stood, job_id, look, every_s=0.05)
    stood.end(started)
    assert job.status == "succeeded", job.error
    inside = [one for one in seen if 0.3 * len(pairs) <= one[1] <= 0.9 * len(pairs)]
    (first_at, first, before), (last_at, last, after) = inside[0], inside[-1]
    worker_ms, database_ms, teacher_ms = (
        1000 * (end - start) / (last - first) for start, end in zip(before, after, strict=True)
    )
    return _Rate(
        items_per_s=(last - first) / (last_at - first_at),
        worker_cpu_ms=worker_ms,
        database_cpu_ms=database_ms,
        teacher_cpu_ms=teacher_ms,
    )


def _cpu_s(process: psutil.Process) -> float:
    """What a process and its children have taken of the processor so far, those that have ended included."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            total += sum(one.cpu_times()[:4])
    return total


def _row(count: int, rate: _Rate, most: float) -> dict[str, Any]:
    row = {
        "n": count,
        "items_per_s": round(rate.items_per_s, 2),
        "at_most": round(most, 2),
        "efficiency": round(rate.items_per_s / most, 3),
        "worker_cpu_ms": round(rate.worker_cpu_ms, 1),
        "database_cpu_ms": round(rate.database_cpu_ms, 1),
        "teacher_cpu_ms": round(rate.teacher_cpu_ms, 1),
    }
    print(row, flush=True)
    return row


def kills(count: int, workers: int, every_s: float) -> dict[str, Any]:
    """Kill a worker, with all it forked, every `every_s` while a misbehaving teacher writes about `count` images."""
    given = {"latency_ms": 400, "shares": json.dumps(SHARES)}
    with teacher_process(**given) as (url, _), standing(vlm_url=url) as stood:
        pairs = stand.fill(stood.engine, stood.settings, stood.tenant, count)
        running = stood.workers(workers)
        began = time.perf_counter()
        job_id = stand.order(stood.engine, stood.tenant, pairs, writer="vlm", tries=6)
        over, killed = threading.Event(), [0]

        def kill() -> None:
            draw = random.Random(0)
            while not over.wait(every_s):
                victim = draw.randrange(workers)
                stood.processes.kill(running[victim])
                killed[0] += 1
                running[victim] = stood.processes.start("workers.main", "--queues", "batch")

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        told = [0.0]

        def look(done: int) -> None:
            if time.perf_counter() - told[0] > 5:
                told[0] = time.perf_counter()
                print(f"kills: {told[0] - began:.0f} s, {killed[0]} killed, {done} done", flush=True)

        job = progress(stood, job_id, look)
        over.set()
        killer.join()
        found = stand.counts(stood.engine, stood.tenant, job_id)
        result = {
            "images": count,
            "workers": workers,
            "killed": killed[0],
            "seconds": round(time.perf_counter() - began),
            "status": job.status,
            "failed": job.progress_failed,
            **found,
            "usage": job.usage,
        }
        print(f"kills: {result}")
        assert found["not_once"] == job.progress_failed
        return result


def surroundings() -> dict[str, Any]:
    """Where and when this was measured, and how busy the machine was."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "date": datetime.now(tz=UTC).date().isoformat(),
        "load_1_min": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help="rules, workers, questions, limited, kills; all")
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--latency-ms", type=int, default=3000)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--kill-every-s", type=float, default=5.0)
    given = parser.parse_args()
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "rules": partial(rules, given.records),
        "workers": partial(by_workers, given.latency_ms),
        "questions": partial(by_questions, given.latency_ms),
        "limited": partial(limited, given.latency_ms),
        "kills": partial(kills, given.images, given.workers, given.kill_every_s),
    }
    if unknown := set(given.parts).difference(runs):
        parser.error(f"there is no part {min(unknown)}; parts are {', '.join(runs)}")
    for part in given.parts or runs:
        print(f"{part}:", flush=True)
        keep(part, runs[part]() | {"on": surroundings()})


def keep(part: str, found: dict[str, Any]) -> None:
    """Replace one part of the results, as JSON and in the table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "factory.json"
    results = json.loads(path.read_text()) if path.is_file() else {}
    results[part] = found
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "table.txt").write_text(table(results) + "\n", encoding="utf-8")


def table(results: dict[str, Any]) -> str:
    """The numbers to read, a line each, and where they were measured."""
    lines = []
    for part, found in results.items():
        on = found["on"]
        lines.append(
            f"{part}, {on['date']}, {on['machine']}, {on['cores']} cores, load {on['load_1_min']}, Python {on['python']}"
        )
        rows = found.get("rows") or [{name: value for name, value in found.items() if name not in ("on", "usage")}]
        lines += ["  " + ", ".join(f"{name} {value}" for name, value in row.items()) for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
