"""Workers and housekeeping as they run in production, each in a process group of its own that a test can kill."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


class Processes:
    """Starts module processes and kills them again, by process group."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._environment = settings.child_environment() | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.log = log
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *argv],
                env=self._environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def worker(self, queue: str = "batch", concurrency: int = 1) -> "subprocess.Popen[bytes]":
        return self.start("tests.acceptance.effects", "--queues", queue, "--concurrency", str(concurrency))

    def housekeeping(self) -> "subprocess.Popen[bytes]":
        return self.start("workers.housekeeping")

    @staticmethod
    def kill(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGKILL) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    def stop(self) -> None:
        for process in self._running:
            self.kill(process)
            process.wait(10)


def wait_until(condition: Callable[[], bool], *, within_s: float, every_s: float = 0.1) -> float:
    """Return how long it took until `condition()`; fails if it takes longer than `within_s`."""
    started_at = time.monotonic()
    while not condition():
        assert time.monotonic() - started_at < within_s, f"did not happen within {within_s} s"
        time.sleep(every_s)
    return time.monotonic() - started_at
