"""Every command of the images starts, works and stops, with the settings of compose.yaml and the addresses of a real Postgres and Redis.

Docker is not needed: what a container adds is a file system and a user. Weights and GPUs are not at hand here.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from app.settings import APP_ROLE, QUEUE_ROLE, Settings, url_for_role

ROOT = Path(__file__).resolve().parents[3]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
LONGEST_S = 120


def command_of(name: str) -> list[str]:
    """What the container runs, by the programs of this environment."""
    service = SERVICES[name]
    dockerfile = (ROOT / service["build"]["dockerfile"]).read_text(encoding="utf-8")
    found = service.get("command") or yaml.safe_load(re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)[-1])
    return ours(found)


def ours(argv: list[str]) -> list[str]:
    program = {"markwise": [sys.executable, "-m", "app.cli"], "python": [sys.executable]}[argv[0]]
    return [*program, *argv[1:]]


def environment_of(name: str, settings: Settings, home: Path) -> dict[str, str]:
    """The service's own settings with addresses that exist; no secret of Compose is left in it."""
    owner = str(settings.database_url)
    here = {
        "MARKWISE_DATABASE_URL": owner,
        "MARKWISE_APP_DATABASE_URL": url_for_role(owner, APP_ROLE),
        "MARKWISE_QUEUE_DATABASE_URL": url_for_role(owner, QUEUE_ROLE),
        "MARKWISE_REDIS_URL": str(settings.redis_url),
        "MARKWISE_BLOBS": str(home / "blobs"),
        "MARKWISE_VLM_ADAPTERS": str(home / "adapters"),
        "MARKWISE_VLM_URL": "",
        "MARKWISE_VLM_MODEL": "",
    }
    given = {key: here.get(key, value) for key, value in SERVICES[name]["environment"].items()}
    assert not any("${" in value for key, value in given.items() if key.startswith("MARKWISE_"))
    plain = {key: value for key, value in os.environ.items() if not key.startswith("MARKWISE_")}
    return (
        plain
        | {key: value for key, value in given.items() if key.startswith("MARKWISE_")}
        | {"MARKWISE_HOME": str(home)}
    )


@contextmanager
def running(argv: list[str], environment: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        # uvicorn closes everything and then dies of the signal, as it should.
        assert process.wait(LONGEST_S) in {0, -signal.SIGTERM}, log.read_text(errors="replace")


def until(done: Callable[[], bool], what: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + LONGEST_S
    while not done():
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, f"{what}: {log.read_text(errors='replace')}"
        time.sleep(0.2)


def healthy(argv: list[str], environment: dict[str, str]) -> Callable[[], bool]:
    return lambda: (
        subprocess.run(ours(argv), cwd=ROOT, env=environment, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.timeout(4 * LONGEST_S)
def test_migrate_then_api_housekeeping_and_a_worker(empty_database: Settings, tmp_path: Path) -> None:
    migrated = environment_of("migrate", empty_database, tmp_path)
    subprocess.run(command_of("migrate"), cwd=ROOT, env=migrated, check=True, timeout=LONGEST_S)
    argv = ours(["markwise", "keys", "create", "first", "--tenant", "shop", "--new-tenant"])
    made = subprocess.run(argv, cwd=ROOT, env=migrated, check=False, capture_output=True, text=True)
    assert made.stdout.startswith("mw_live_"), made.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    api = [port if word == "8000" else word for word in command_of("api")]
    look = [word.replace("8000", port) for word in SERVICES["api"]["healthcheck"]["test"][1:]]
    with ExitStack() as stack:
        started = {}
        for name, argv in (("api", api), ("housekeeping", None), ("worker-batch", None)):
            environment = environment_of(name, empty_database, tmp_path)
            log = tmp_path / f"{name}.log"
            process = stack.enter_context(running(argv or command_of(name), environment, log))
            started[name] = (process, environment, log)
        process, environment, log = started["api"]
        until(healthy(look, environment), "the API's health check", process, log)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as metrics:
            assert b"markwise_database_up 1.0" in metrics.read()
        process, environment, log = started["worker-batch"]
        alive = SERVICES["worker-batch"]["healthcheck"]["test"][1:]
        until(healthy(alive, environment), "the worker's health check", process, log)
    with psycopg.connect(str(empty_database.database_url)) as connection:
        assert connection.execute("SELECT count(*) FROM worker_processes").fetchone() == (0,)
    assert not healthy(alive, environment)()


@pytest.mark.parametrize("name", ["worker-interactive", "worker-gpu"])
def test_a_command_that_does_not_run_above_takes_its_arguments(name: str) -> None:
    assert set(OURS) == {"migrate", "api", "housekeeping", "worker-batch", "worker-interactive", "worker-gpu"}
    argv = command_of(name)
    done = subprocess.run([*argv, "--help"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    assert done.returncode == 0, done.stderr
    for option in (word for word in argv if word.startswith("--")):
        assert option in done.stdout
