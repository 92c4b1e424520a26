"""Waiting for a job without polling it: one Postgres LISTEN connection per process wakes asyncio waiters.

Used by the API (waiting POSTs, event streams). While the connection is down the waiters poll, and asides are lost. Reads no rows.
"""

import asyncio
import contextlib
import logging
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
from psycopg import conninfo

from app.queue import asides
from app.queue.tasks import JOBS_CHANNEL

_log = logging.getLogger(__name__)
_POLL_S = 0.25
_RECONNECT_S = 1.0
_MOST_ASIDES = 4_096
# A peer that is gone without a word is noticed within 25 s, and every waiter then reads again.
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 5}


class Change:
    """A waiter's view of one job: `wait` returns when something may have happened since the last call.

    `heard` are the asides that came since they were last taken; only who asked for them is woken by them.
    """

    def __init__(self, listener: "JobListener", *, asides: bool) -> None:
        self.heard: deque[dict[str, Any]] = deque(maxlen=_MOST_ASIDES)
        self.wants_asides = asides
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    async def wait(self, timeout_s: float) -> bool:
        """Return True when the job may have changed (read it again), False when `timeout_s` passed quietly."""
        quiet_s = timeout_s if self._listener.listening else min(timeout_s, _POLL_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), quiet_s)
        changed = self._event.is_set()
        self._event.clear()
        return changed or quiet_s < timeout_s

    def wake(self) -> None:
        """Called from the listener's thread."""
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._event.set)


class JobListener:
    """One LISTEN connection in a thread. `start` it once, `stop` it at shutdown."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._watched: dict[str, set[Change]] = defaultdict(set)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._listening = threading.Event()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job-listener", daemon=True)

    @property
    def listening(self) -> bool:
        """True while silence means that nothing happened."""
        return self._listening.is_set()

    @property
    def leaving(self) -> bool:
        """True once nobody should wait here any more: the process is about to stop."""
        return self._leaving.is_set()

    def let_go(self) -> None:
        """Wake all waiters, for good: what they wait for goes on elsewhere."""
        self._leaving.set()
        self._wake(None)

    def start(self) -> None:
        """Begin to listen in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; waiters fall back to polling."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(3)

    @contextlib.asynccontextmanager
    async def watch(self, job_id: UUID, *, asides: bool = False) -> AsyncIterator[Change]:
        """Watch a job for the block. Enter before reading it: what changes after is not missed."""
        change = Change(self, asides=asides)
        key = str(job_id)
        with self._lock:
            self._watched[key].add(change)
        try:
            yield change
        finally:
            with self._lock:
                self._watched[key].discard(change)
                if not self._watched[key]:
                    del self._watched[key]

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as exc:
                _log.warning("not listening for job changes, polling instead: %s", type(exc).__name__)
            finally:
                self._listening.clear()
            self._wake(None)
            self._stop.wait(_RECONNECT_S)

    def _listen(self) -> None:
        address = conninfo.make_conninfo(self._url, **_KEEPALIVE)
        with psycopg.connect(address, autocommit=True, application_name="markwise-listener") as connection:
            connection.execute(f"LISTEN {JOBS_CHANNEL}")
            connection.execute(f"LISTEN {asides.ASIDES_CHANNEL}")
            self._listening.set()
            self._wake(None)  # what happened while nobody listened
            while not self._stop.is_set():
                for notice in connection.notifies(timeout=0.5):
                    if notice.channel == asides.ASIDES_CHANNEL:
                        self._pass_on(notice.payload)
                    else:
                        self._wake(notice.payload)

    def _pass_on(self, payload: str) -> None:
        found = asides.read(payload)
        if found is None:
            return
        with self._lock:
            curious = [change for change in self._watched.get(found[0], ()) if change.wants_asides]
        for change in curious:
            change.heard.append(found[1])
            change.wake()

    def _wake(self, key: str | None) -> None:
        with self._lock:
            if key is None:
                found = [change for changes in self._watched.values() for change in changes]
            else:
                found = list(self._watched.get(key, ()))
        for change in found:
            change.wake()
