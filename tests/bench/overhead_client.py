"""Keeps a number of POSTs under way from one thread: asyncio's protocol and a few lines of HTTP, so that the client costs next to nothing.

Called by `tests.bench.overhead`. Every caller has a connection of its own, kept alive, and asks again as soon as it has its answer.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

START = 3
"""Answers per caller before the window begins."""


@dataclass(slots=True, kw_only=True)
class Load:
    """What came of a number of requests: each one's milliseconds, when it was answered, the answers' bodies, and how long all took."""

    concurrency: int
    took_ms: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers a second in the window: after START rounds, and before the last one, in which callers end one by one."""
        first, last = START * self.concurrency - 1, len(self.answered_s) - self.concurrency - 1
        return (last - first) / (self.answered_s[last] - self.answered_s[first])

    @property
    def per_s_from_start(self) -> float:
        """Answers a second of all, the first requests, which come in one instant, and the last ones among them."""
        return len(self.answers) / self.wall_s


def load(url: str, path: str, bodies: Sequence[bytes], *, requests: int, concurrency: int) -> Load:
    """Post `bodies` in turn, `requests` times in all, `concurrency` at once; raises RuntimeError unless every answer is 200."""
    return asyncio.run(_load(url, path, bodies, requests, concurrency))


async def _load(url: str, path: str, bodies: Sequence[bytes], requests: int, concurrency: int) -> Load:
    place = urlsplit(url)
    head = f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
    posts = [head.encode() + b"%d\r\n\r\n" % len(body) + body for body in bodies]
    done, numbers = Load(concurrency=concurrency), iter(range(requests))
    callers = [_Caller(done, numbers, posts) for _ in range(concurrency)]
    for caller in callers:
        await asyncio.get_running_loop().create_connection(lambda made=caller: made, place.hostname, place.port)
    start = time.perf_counter()
    for caller in callers:
        caller.ask()
    await asyncio.gather(*(caller.ended for caller in callers))
    done.wall_s = time.perf_counter() - start
    return done


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, done: Load, numbers: Iterator[int], posts: Sequence[bytes]) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._done, self._numbers, self._posts = done, numbers, posts
        self._buffer = bytearray()
        self._asked_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self) -> None:
        """Post the next body, or end if all are posted."""
        number = next(self._numbers, None)
        if number is None:
            self._transport.close()
            self.ended.set_result(None)
            return
        self._asked_at = time.perf_counter()
        self._transport.write(self._posts[number % len(self._posts)])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, _ = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = bytes(head).lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(self._buffer) < len(head) + 4 + length:
            return
        answer = bytes(self._buffer[len(head) + 4 :])
        self._buffer.clear()
        if b" 200 " not in lines[0]:
            self.ended.set_exception(RuntimeError(f"{lines[0]!r}: {answer[:300]!r}"))
            return
        now = time.perf_counter()
        self._done.took_ms.append(1000 * (now - self._asked_at))
        self._done.answered_s.append(now)
        self._done.answers.append(answer)
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(RuntimeError("the connection was closed"))
