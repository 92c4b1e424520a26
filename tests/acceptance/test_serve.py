"""`serve` as a user runs it: up, killed, up again, and down without leaving anything behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.acceptance.processes import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="mw-"))
    made.chmod(0o711)
    yield made
    for process in belonging_to(made):
        process.kill()
    shutil.rmtree(made, ignore_errors=True)


def serve(home: Path) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MARKWISE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment | {"MARKWISE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def url_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://\S+", line)
    assert found is not None, line
    return found.group()


def belonging_to(home: Path) -> list[psutil.Process]:
    """Processes of the installation in `home`: by their environment, or by their working folder (the servers)."""
    found = []
    for process in psutil.process_iter():
        try:
            place = process.environ().get("MARKWISE_HOME") == str(home) or process.cwd().startswith(str(home))
            if place and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def ready(url: str) -> bool:
    return httpx.get(f"{url}/readyz", timeout=10).json()["checks"]["worker"] == "ok"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_serve_comes_up_survives_a_kill_and_goes_down(home: Path) -> None:
    first = serve(home)
    url = url_of(first)
    wait_until(lambda: ready(url), within_s=60)

    second = serve(home)
    _, complaint = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"process {first.pid}" in complaint
    assert str(home) in complaint

    worker = next(p for p in belonging_to(home) if p.ppid() == first.pid and "interactive" in " ".join(p.cmdline()))
    worker.kill()

    def replaced() -> bool:
        return any(
            p.ppid() == first.pid and p.pid != worker.pid and "interactive" in " ".join(p.cmdline())
            for p in belonging_to(home)
        )

    wait_until(replaced, within_s=20)
    assert httpx.get(f"{url}/healthz", timeout=10).status_code == 200

    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=10)
    wait_until(lambda: belonging_to(home) == [], within_s=20)

    third = serve(home)
    url = url_of(third)
    wait_until(lambda: ready(url), within_s=60)
    started_at = time.monotonic()
    third.send_signal(signal.SIGTERM)
    third.communicate(timeout=30)
    assert time.monotonic() - started_at < 15
    assert third.returncode == 0
    assert belonging_to(home) == []


def test_a_taken_port_is_one_sentence(home: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
            check=False,
            cwd=ROOT,
            env=os.environ | {"MARKWISE_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
