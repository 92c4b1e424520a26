"""Callers that do not behave: they ask again at once, whatever they were told, and some hang up in the middle.

One thread, asyncio's protocol and a few lines of HTTP, so that a flood costs the machine little beside what it does to the service.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import numpy as np

from tests.acceptance.service import serving
from tests.bench.overhead import mark_sets, questions, standin


@dataclass(slots=True, kw_only=True)
class Flood:
    """What came of it: answers by status, those refusals without `Retry-After`, the milliseconds of the good ones."""

    statuses: Counter[int] = field(default_factory=Counter)
    unexplained: int = 0
    took_ms: list[float] = field(default_factory=list)
    aborted: int = 0
    broken: int = 0
    wall_s: float = 0.0

    @property
    def good_per_s(self) -> float:
        """200s and 201s in a second."""
        return (self.statuses[200] + self.statuses[201]) / self.wall_s

    def percentile_ms(self, q: float) -> float:
        """Of the good answers."""
        return float(np.percentile(self.took_ms, q)) if self.took_ms else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Who asks: `count` at once, for `seconds` or until `requests` were sent; `pause_s` after a refusal."""

    count: int
    seconds: float = 600.0
    requests: int = 10**9
    pause_s: float = 0.05
    abort_share: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    seed: int = 0


@contextmanager
def asking(latency_ms: float, *, pictures: int = 4, **settings: str) -> Iterator[tuple[str, list[bytes]]]:
    """Run a service before a stand-in of that latency; yields its address and a question about each picture, marked already."""
    with standin(latency_ms) as model, serving(MARKWISE_VLM_URL=model, **settings) as url:
        with httpx.Client(base_url=url, timeout=60) as client:
            asked = questions(mark_sets(client, pictures, 0))
        yield url, asked


def flood(url: str, bodies: Sequence[bytes], callers: Callers) -> Flood:
    """Post `bodies` to /v1/ground in turn."""
    return floods(url, bodies, callers)[0]


def floods(url: str, bodies: Sequence[bytes], *crowds: Callers) -> list[Flood]:
    """Let several crowds ask the same at the same time; returns what came of each."""

    async def all_of_them() -> list[Flood]:
        return list(await asyncio.gather(*(_crowd(url, bodies, callers) for callers in crowds)))

    return asyncio.run(all_of_them())


async def _crowd(url: str, bodies: Sequence[bytes], callers: Callers) -> Flood:
    done, chance, began = Flood(), random.Random(callers.seed), time.perf_counter()
    left = iter(range(callers.requests))
    place = urlsplit(url)
    named = "".join(f"{name}: {value}\r\n" for name, value in callers.headers)
    lines = ("POST /v1/ground HTTP/1.1", f"Host: {place.netloc}", "Content-Type: application/json")
    head = "\r\n".join((*lines, f"{named}Content-Length: "))

    async def caller() -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while time.perf_counter() - began < callers.seconds and (number := next(left, None)) is not None:
            body = bodies[number % len(bodies)]
            started = time.perf_counter()
            try:
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection(place.hostname, place.port)
                writer.write(head.encode() + b"%d\r\n\r\n" % len(body) + body)
                if chance.random() < callers.abort_share:
                    await asyncio.sleep(chance.uniform(0.0, 0.1))
                    writer.transport.abort()
                    reader = writer = None
                    done.aborted += 1
                    continue
                status, explained = await _answer(reader)
            except (OSError, asyncio.IncompleteReadError, ValueError):
                done.broken += 1
                reader = writer = None
                await asyncio.sleep(callers.pause_s)
                continue
            done.statuses[status] += 1
            if status in (200, 201):
                done.took_ms.append(1000 * (time.perf_counter() - started))
            else:
                done.unexplained += status in (429, 503) and not explained
                await asyncio.sleep(callers.pause_s)
        if writer is not None:
            writer.close()

    await asyncio.gather(*(caller() for _ in range(callers.count)))
    done.wall_s = time.perf_counter() - began
    return done


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Return the status, and whether a time to come back was told."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1]), b"\r\nretry-after: " in head
