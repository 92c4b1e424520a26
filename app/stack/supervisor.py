"""Runs child processes: starts, watches, restarts and stops them, and keeps their logs. Used by `serve`.

One thread and one selector loop: forking from a process with threads is unsafe, and the kernel ties a child's
parent-death signal to the thread that forked it. Knows nothing of what the children do.
"""

import logging
import os
import re
import selectors
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from types import FrameType

from app.stack.processes import ProcessSpec, kill_group, signal_process, spawn

_log = logging.getLogger(__name__)
_LOUD = re.compile(rb"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC|Traceback)\b")
# How a record begins in the logs of our processes, of Celery and of uvicorn; what follows without it, a trace say, is the record's.
_RECORD = re.compile(rb"\{\"|\[?\d{4}-\d\d-\d\d[ T]|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL):")
_LONGEST_RECORD = 200  # lines; what was printed by something that keeps no log must not go on for ever
_QUIET = frozenset({"postgres", "redis"})  # a refused duplicate is an ERROR to Postgres and daily business to us
_LOG_BYTES = 10_000_000
_FIRST_DELAY_S, _LONGEST_DELAY_S, _STEADY_S, _FAST_FAILURES = 0.5, 10.0, 20.0, 6
# Whoever was ended from outside (an operator, the kernel short of memory, a test) can start: no reason to give the service up.
_FROM_OUTSIDE = frozenset({0, -signal.SIGTERM, -signal.SIGKILL})


class ChildKeepsFailing(Exception):
    """A child ended again and again right after its start."""


class Log:
    """One child's log file with a size limit: the previous one is kept as `.1`. What finds no room on the disk is not kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        with suppress(OSError):  # a full disk ended the whole service here
            self._file.write(data)
            if self._file.tell() > _LOG_BYTES:
                self.path.replace(self.path.with_suffix(".log.1"))
                following = self.path.open("ab", buffering=0)
                self._file.close()
                self._file = following

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True, kw_only=True)
class _Child:
    spec: ProcessSpec
    log: Log
    process: "Popen[bytes] | None" = None
    started_at: float = 0.0
    due_at: float | None = 0.0
    failures: int = 0
    proven: bool = False  # it ran steadily once: what is wrong now, a full disk say, may pass
    tail: bytes = field(default=b"")
    loud_lines: int = 0


class Supervisor:
    """Keeps `specs` running in order; later ones are stopped first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self.stopped = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)

    def start(self, spec: ProcessSpec) -> Callable[[], bool]:
        """Start one more child; return a function that says whether it runs."""
        child = _Child(spec=spec, log=Log(self._logs / f"{spec.name}.log"))
        self._children.append(child)
        self._spawn(child)
        return lambda: child.process is not None and child.process.poll() is None

    def pids(self) -> dict[str, int]:
        """Process id of every child that runs, by name."""
        return {child.spec.name: child.process.pid for child in self._children if child.process is not None}

    def request_stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Make `run` return; safe in a signal handler."""
        self._stopping = True
        os.write(self._wake_write, b"x")

    def run(self, *, until: Callable[[], bool] = lambda: False, timeout_s: float | None = None) -> None:
        """Watch the children until `until()`, `request_stop` or the time limit; raises ChildKeepsFailing."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._stopping and not until():
            if deadline is not None and time.monotonic() > deadline:
                return
            self._pump(0.5 if deadline is None else 0.05)
            self._revive()

    @property
    def stopping(self) -> bool:
        """True once a stop was requested."""
        return self._stopping

    def stop(self) -> None:
        """Stop all children, newest first in two waves (workers and API, then the servers they need)."""
        self._stopping = True
        servers = [child for child in self._children if child.spec.name in _QUIET]
        others = [child for child in self._children if child.spec.name not in _QUIET]
        for wave in (others, list(reversed(servers))):
            self._stop_wave(wave)
        for child in self._children:
            child.log.close()
        self.stopped = True
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _spawn(self, child: _Child) -> None:
        child.process = spawn(child.spec, output=PIPE)
        child.started_at, child.due_at = time.monotonic(), None
        pipe = child.process.stdout
        if pipe is None:
            raise RuntimeError("a child was started without a pipe")
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, (child, pipe))

    def _pump(self, timeout_s: float) -> None:
        """Move what the children said into their logs."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                os.read(self._wake_read, 64)
                continue
            child, pipe = key.data
            data = os.read(key.fd, 65536)
            if not data:
                self._selector.unregister(pipe)
                pipe.close()
                continue
            child.log.write(data)
            self._echo(child, data)

    def _echo(self, child: _Child, data: bytes) -> None:
        """Repeat warnings and errors on our own stderr, each with the lines that belong to it."""
        if child.spec.name in _QUIET:
            return
        *lines, child.tail = (child.tail + data).split(b"\n")
        child.tail = child.tail[-4096:]
        for line in lines:
            if _LOUD.search(line):
                child.loud_lines = _LONGEST_RECORD
            elif _RECORD.match(line):
                child.loud_lines = 0
            if child.loud_lines:
                child.loud_lines -= 1
                with suppress(OSError):
                    sys.stderr.write(f"{child.spec.name} | {line.decode(errors='replace')}\n")

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.due_at is not None:
                if now >= child.due_at:
                    self._spawn(child)
                continue
            if child.process is None or child.process.poll() is None:
                continue
            code = child.process.returncode
            kill_group(child.process)  # its forks must not outlive it and hold what the successor needs
            child.proven = child.proven or now - child.started_at >= _STEADY_S
            child.failures = child.failures + 1 if now - child.started_at < _STEADY_S else 1
            if code in _FROM_OUTSIDE:
                child.failures = min(child.failures, _FAST_FAILURES // 2)
            if child.failures >= _FAST_FAILURES and not child.proven:
                raise ChildKeepsFailing(
                    f"{child.spec.name} ended {child.failures} times (last exit code {code}); see {child.log.path}"
                )
            delay_s = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(child.failures - 1, 10))
            _log.warning("%s ended with exit code %s; starting it again in %.1f s", child.spec.name, code, delay_s)
            child.process, child.due_at = None, now + delay_s

    def _stop_wave(self, wave: Sequence[_Child]) -> None:
        running = [(child, child.process) for child in wave if child.process is not None]
        for child, process in running:
            signal_process(process, child.spec.stop_signal)
        deadline = time.monotonic() + max((child.spec.stop_grace_s for child, _ in running), default=0.0)
        while any(process.poll() is None for _, process in running) and time.monotonic() < deadline:
            self._pump(0.05)
        for child, process in running:
            if process.poll() is None:
                _log.warning("%s did not stop in time and was killed", child.spec.name)
            kill_group(process)
            process.wait(5)
            child.process = None
        self._drain()

    def _drain(self) -> None:
        """Read what is left in the pipes of ended children."""
        for _ in range(100):
            if not self._selector.select(0):
                return
            self._pump(0)


def stop_on_signals(supervisor: Supervisor) -> None:
    """Let SIGTERM, SIGINT and SIGHUP end `supervisor.run`."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, supervisor.request_stop)
