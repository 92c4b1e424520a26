"""The whole service with a hand on its parts: where `serving` gives an address, `house` gives Redis, Postgres and the data folder too."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from app.stack import postgres_server, redis_server
from app.stack.layout import DataFolder
from tests.acceptance.service import drawn, serving

FORM = {"segmenter": "provided", "regions": '[{"bbox_xyxy_px": [30, 40, 110, 120]}]'}
"""A marking that costs next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A running service."""

    url: str
    folder: DataFolder

    def client(self, timeout_s: float = 60.0) -> httpx.Client:
        """A caller."""
        return httpx.Client(base_url=self.url, timeout=timeout_s)

    def redis(self) -> redis.Redis:
        """A client of its Redis."""
        return redis.Redis.from_url(redis_server.url(self.folder), socket_timeout=5)

    def owner(self) -> "psycopg.Connection[Any]":
        """A connection of the owner of its catalog."""
        return psycopg.connect(postgres_server.url(self.folder), autocommit=True, connect_timeout=5)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask as the owner."""
        with self.owner() as connection:
            return connection.execute(statement, values).fetchall()


@contextmanager
def house(home: Path | None = None, **settings: str) -> Iterator[House]:
    """Run `markwise serve` for the block, in `home` if it is given."""
    made = Path(tempfile.mkdtemp(prefix="mw-house-")) if home is None else home
    made.chmod(0o711)
    try:
        with serving(MARKWISE_HOME=str(made), **settings) as url:
            yield House(url=url, folder=DataFolder(home=made))
    finally:
        if home is None:
            shutil.rmtree(made, ignore_errors=True)


def order(client: httpx.Client, seed: int, key: str | None = None) -> httpx.Response:
    """Order a mark set of a picture that no other seed gives, without waiting."""
    headers = {"Prefer": "respond-async"} | ({} if key is None else {"Idempotency-Key": key})
    return client.post("/v1/marksets", files={"file": drawn(seed, (160, 120))}, data=FORM, headers=headers)


def job_of(answer: httpx.Response) -> str:
    """The job that a 202 names."""
    return answer.headers["location"].rpartition("/")[2]


def settled(client: httpx.Client, ledger: list[str], within_s: float) -> tuple[int, int, float]:
    """Wait for jobs; returns how many have succeeded, how many never ended, and the seconds."""
    began, open_, good = time.monotonic(), set(ledger), 0
    while open_ and time.monotonic() - began < within_s:
        for job in list(open_):
            with suppress(httpx.HTTPError, ValueError, KeyError):
                told = client.get(f"/v1/jobs/{job}").json()
                if told["finished_at"] is not None:
                    open_.discard(job)
                    good += told["status"] == "succeeded"
        time.sleep(0.1)
    return good, len(open_), time.monotonic() - began


def until(condition: Callable[[], bool], within_s: float) -> float:
    """Seconds until something is so, or `within_s`; what cannot be asked is not so."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        with suppress(httpx.HTTPError, psycopg.Error, redis.RedisError, OSError, ValueError):
            if condition():
                break
        time.sleep(0.1)
    return time.monotonic() - began
