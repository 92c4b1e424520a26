"""Postgres, Redis, housekeeping and workers of the test handlers, without an API: where the queue itself is put to the test.

`yard` starts the servers in a folder of their own; workers run `tests.acceptance.effects`, whose every effect is a row. Drivers of
this folder order jobs, do harm, wait until all is settled and count what is left.
"""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import UUID

import psycopg
import redis
from sqlalchemy import Engine

from app.catalog.session import app_engine, transaction
from app.queue.outbox import enqueue
from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate
from tests.acceptance import effects
from tests.acceptance.processes import Processes
from tests.chaos.table import counted
from tests.conftest import FAST, add_tenant

QUICK: dict[str, Any] = {"lease_s": 3.0, "heartbeat_s": 0.75, "reap_every_s": 0.5, "hint_resend_s": 2.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the jobs of a ledger: how often each had its effect, and which of them never ended."""

    lost: int
    doubled: int
    stuck: int
    redone: int

    @property
    def failures(self) -> tuple[str, ...]:
        """The rules that were broken."""
        return counted({"lost": self.lost, "duplicated": self.doubled, "stuck": self.stuck})


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    """One installation without an API."""

    settings: Settings
    engine: Engine
    tenant: UUID
    processes: Processes

    def staffed(self, workers: int) -> "list[Popen[bytes]]":
        """Start housekeeping and workers; returns the workers."""
        self.processes.housekeeping()
        return [self.processes.worker() for _ in range(workers)]

    def order(self, kind: str, payloads: Sequence[dict[str, Any]], **given: Any) -> list[UUID]:
        """Order a job for each payload; returns their ids."""
        with transaction(self.engine, self.tenant) as session:
            return [
                enqueue(session, kind=f"test.{kind}", queue="batch", payload=payload, **given).id
                for payload in payloads
            ]

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the owner."""
        with psycopg.connect(str(self.settings.database_url), autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def redis(self) -> redis.Redis:
        """A client of the queue's Redis."""
        return redis.Redis.from_url(str(self.settings.redis_url))

    def settle(self, within_s: float) -> float:
        """Wait until no job is open, `within_s` at most; returns the seconds."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if self.rows("SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0][0] == 0:
                break
            time.sleep(0.1)
        return time.monotonic() - began

    def tally(self, ledger: Sequence[UUID]) -> Tally:
        """Compare the jobs that were ordered with their effects."""
        had: Counter[UUID] = Counter(row[0] for row in self.rows("SELECT job_id FROM effects"))
        known = {row[0]: row for row in self.rows("SELECT id, status, attempt FROM jobs")}
        ended = [job for job in ledger if job in known and known[job][1] in {"succeeded", "failed", "cancelled"}]
        return Tally(
            lost=sum(had[job] == 0 for job in ledger),
            doubled=sum(had[job] > 1 for job in ledger),
            stuck=len(ledger) - len(ended),
            redone=sum(known[job][2] - 1 for job in ended),
        )


@contextmanager
def yard(**changed: Any) -> Iterator[Yard]:
    """Run the servers for the block, with short leases; `changed` are fields of the settings."""
    # Not a private folder: root's Postgres runs as another account.
    home = Path(tempfile.mkdtemp(prefix="mw-yard-"))
    home.chmod(0o711)
    try:
        with embedded.started(Settings(home=home, profile="embedded"), postgres_options=FAST) as found:
            migrate(found)
            with opened(found.model_copy(update=QUICK | changed), home / "processes.log") as made:
                yield made
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def opened(settings: Settings, log: Path) -> Iterator[Yard]:
    """A yard on servers that run already, in a migrated database of its own; the tests use it on theirs."""
    with psycopg.connect(str(settings.database_url)) as connection:
        connection.execute(effects.TABLE)
    engine, processes = app_engine(settings), Processes(settings, log)
    try:
        yield Yard(settings=settings, engine=engine, tenant=add_tenant(settings, "yard"), processes=processes)
    finally:
        processes.stop()
        engine.dispose()
