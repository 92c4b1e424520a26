"""The whole service as a user runs it, once per test session: `service` is an HTTP client of it."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from app.cli import main
from app.imaging.encode import encode
from app.services.keys import ALL_SCOPES

ROOT = Path(__file__).resolve().parents[2]
DEMO_PAGE = ROOT / "app" / "demo" / "page.png"
START_S = 120
LOG_SHOWN = 20_000
"""Characters: what a service said last, shown when a test of it fails."""


@contextmanager
def new_home() -> Iterator[Path]:
    """A data folder for the block that Postgres may enter, whose own account is another where we are root: pytest's tmp_path is private."""
    home = Path(tempfile.mkdtemp(prefix="mw-"))
    home.chmod(0o711)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def serving(**settings: str) -> Iterator[str]:
    """Run `markwise serve` on a free port with a data folder of its own; yields its URL. What goes wrong in the block shows its log."""
    with new_home() as home:
        log = home.with_suffix(".log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--port", "0"],
                cwd=ROOT,
                env=os.environ | {"MARKWISE_HOME": str(home)} | settings,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield _url(process, log)
        except BaseException:
            sys.stderr.write(log.read_text(errors="replace")[-LOG_SHOWN:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)  # 20 s at a load of 11
            log.unlink()


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        found = re.search(r"ready: (http://\S+)", log.read_text(errors="replace"))
        if found and _up(found[1]):
            return found[1]
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.1)
    raise AssertionError(log.read_text(errors="replace"))


def _up(url: str) -> bool:
    with suppress(httpx.TransportError):  # a busy machine is slow, not down
        healthy = httpx.get(f"{url}/healthz", timeout=10).status_code == 200
        return healthy and httpx.get(f"{url}/readyz", timeout=10).json()["checks"]["worker"] == "ok"
    return False


def new_tenant(home: Path, name: str) -> str:
    """Make an empty tenant in the running service of this data folder, its name unlike all others; returns a key for everything in it."""
    scopes = [word for scope in ALL_SCOPES for word in ("--scope", scope)]
    argv = ["keys", "create", "tests", "--tenant", f"{name}-{secrets.token_hex(4)}", "--new-tenant", *scopes]
    done = CliRunner().invoke(main, argv, env={"MARKWISE_HOME": str(home)})
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


@pytest.fixture(scope="session")
def service_home() -> Iterator[Path]:
    """Data folder of a running service."""
    with new_home() as home:
        yield home


@pytest.fixture(scope="session")
def service_url(service_home: Path) -> Iterator[str]:
    """URL of a running service."""
    with serving(MARKWISE_HOME=str(service_home)) as url:
        yield url


@pytest.fixture(scope="session")
def service(service_url: str) -> Iterator[httpx.Client]:
    """A client of a running service; POSTs wait for their results."""
    with httpx.Client(base_url=service_url, timeout=150, headers={"Prefer": "wait=120"}) as client:
        yield client


def drawn(seed: int, size_wh: tuple[int, int] = (320, 240)) -> bytes:
    """A small PNG that no other seed gives: three coloured shapes on a light ground."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", size_wh, (238, 240, 243))
    draw = ImageDraw.Draw(picture)
    colors = [tuple(int(v) for v in rng.integers(20, 200, 3)) for _ in range(3)]
    draw.rectangle((30, 40, 110, 120), fill=colors[0])
    draw.ellipse((150, 50, 240, 140), fill=colors[1])
    draw.polygon([(60, 220), (120, 150), (180, 220)], fill=colors[2])
    return encode(np.asarray(picture))


def finished(service: httpx.Client, job_id: str, within_s: float = 120) -> dict:
    """Follow a job to its end and return it."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        job = service.get(f"/v1/jobs/{job_id}").json()
        if job["status"] in {"succeeded", "failed", "cancelled"}:
            return job
        time.sleep(0.1)
    raise AssertionError(f"job {job_id} did not end: {job}")
