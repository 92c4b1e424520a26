"""An API process of the product on a given catalog: asked through HTTP, its time and CPU time kept. For `tests.bench.scale`."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from app.settings import Settings
from tests.bench import scale_fill


@dataclass(slots=True, kw_only=True)
class Served:
    """An API process, a connection to it, and what was measured of it since it was last told about."""

    client: http.client.HTTPConnection
    watched: list[psutil.Process]
    took_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=lambda: [0.0, 0.0])
    size: int = 0

    def ask(self, paths: Sequence[str]) -> list[bytes]:
        """Ask for one path after the other; returns the bodies."""
        headers = {"Authorization": f"Bearer {scale_fill.tenant_key('large')}"}
        before, bodies = self._spent_ms(), []
        for path in paths:
            began = time.perf_counter()
            self.client.request("GET", path, headers=headers)
            response = self.client.getresponse()
            bodies.append(response.read())
            self.took_ms.append(1000 * (time.perf_counter() - began))
            if response.status != http.client.OK:
                raise SystemExit(f"{path} was answered with {response.status}")
        self.cpu_ms = [
            sum_ms + now - then for sum_ms, now, then in zip(self.cpu_ms, self._spent_ms(), before, strict=True)
        ]
        self.size += sum(map(len, bodies))
        self.client.close()  # it opens itself again; one that lay idle for another's turn would be hung up on
        return bodies

    def told(self, read: str) -> dict[str, Any]:
        """Return percentiles in ms, the CPU time of API and Postgres and the size of an answer, and begin anew."""
        requests, took_ms = len(self.took_ms), sorted(self.took_ms)
        parts = {f"p{part}_ms": round(took_ms[min(requests - 1, requests * part // 100)], 1) for part in (50, 95, 99)}
        api_ms, postgres_ms = (round(each / requests, 1) for each in self.cpu_ms)
        row = {"read": read, **parts, "api_cpu_ms": api_ms, "postgres_cpu_ms": postgres_ms}
        row["kB"] = round(self.size / requests / 1000, 1)
        self.took_ms, self.cpu_ms, self.size = [], [0.0, 0.0], 0
        return row

    def _spent_ms(self) -> list[float]:
        api, *postgres = (1000 * _cpu_s(process) for process in self.watched)
        return [api, sum(postgres)]


@contextmanager
def served(settings: Settings, tree: Path | None = None) -> Iterator[Served]:
    """The product's API process on a free port, of this checkout or of the one in `tree`."""
    limits = {"require_keys": True, "key_requests_per_min": 0, "key_at_once": 0, "log_level": "WARNING"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "app.stack.api_process", "--port", str(port)]
    process = subprocess.Popen(argv, env=settings.model_copy(update=limits).child_environment(), cwd=tree)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        _connected(client, process)
        servers = [p for p in psutil.Process().children() if "postgres" in p.name()]
        yield Served(client=client, watched=[psutil.Process(process.pid), *servers])
    finally:
        client.close()
        process.terminate()
        process.wait(30)


def _connected(client: http.client.HTTPConnection, process: "subprocess.Popen[bytes]") -> None:
    while True:
        try:
            client.connect()
            client.close()  # as after every turn
            return
        except OSError:
            if process.poll() is not None:
                raise
            time.sleep(0.1)


def _cpu_s(process: psutil.Process) -> float:
    everyone = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in everyone)
