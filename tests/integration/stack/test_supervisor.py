"""Children are watched, restarted, stopped in time, and never survive us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.stack.processes import ProcessSpec
from app.stack.supervisor import ChildKeepsFailing, Log, Supervisor

ROOT = Path(__file__).resolve().parents[3]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
LOUD = "import time; print('fine'); print('ERROR: broken', flush=True); time.sleep(60)"


def python(name: str, program: str, grace_s: float = 5.0) -> ProcessSpec:
    return ProcessSpec(name=name, argv=[sys.executable, "-c", program], stop_grace_s=grace_s)


@pytest.fixture
def supervisor(tmp_path: Path):
    made = Supervisor(tmp_path)
    yield made
    if not made.stopped:
        made.stop()


def said(tmp_path: Path, name: str, text: str):
    return lambda: text in (tmp_path / f"{name}.log").read_text()


def test_a_killed_child_is_started_again(supervisor: Supervisor) -> None:
    supervisor.start(python("one", "import time; time.sleep(60)"))
    first = supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)
    supervisor.run(until=lambda: supervisor.pids().get("one", first) != first, timeout_s=10)
    assert supervisor.pids()["one"] != first


def test_a_child_that_cannot_start_ends_the_watch_with_a_sentence(supervisor: Supervisor, monkeypatch) -> None:
    monkeypatch.setattr("app.stack.supervisor._FIRST_DELAY_S", 0.01)
    supervisor.start(python("broken", "raise SystemExit(3)"))
    with pytest.raises(ChildKeepsFailing, match=r"broken ended 6 times \(last exit code 3\); see .*broken.log"):
        supervisor.run(timeout_s=20)


def test_a_child_that_is_ended_from_outside_is_always_started_again(supervisor: Supervisor, monkeypatch) -> None:
    monkeypatch.setattr("app.stack.supervisor._FIRST_DELAY_S", 0.01)
    supervisor.start(python("one", "import time; time.sleep(60)"))
    for number in range(8):
        before = supervisor.pids()["one"]
        os.kill(before, signal.SIGTERM if number % 2 else signal.SIGKILL)
        supervisor.run(until=lambda before=before: supervisor.pids().get("one", before) != before, timeout_s=30)
        assert supervisor.pids()["one"] != before


def test_a_child_that_ran_before_is_never_given_up(supervisor: Supervisor, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.stack.supervisor._FIRST_DELAY_S", 0.001)
    monkeypatch.setattr("app.stack.supervisor._STEADY_S", 0.0)
    full = tmp_path / "full"
    program = f"import pathlib, time\nif pathlib.Path({str(full)!r}).exists(): raise SystemExit(1)\nprint('up', flush=True); time.sleep(60)"
    supervisor.start(python("server", program))
    supervisor.run(until=said(tmp_path, "server", "up"), timeout_s=30)
    full.touch()
    os.kill(supervisor.pids()["server"], signal.SIGKILL)
    supervisor.run(until=lambda: supervisor._children[0].proven, timeout_s=30)
    monkeypatch.setattr("app.stack.supervisor._STEADY_S", 20.0)
    supervisor.run(until=lambda: supervisor._children[0].failures > 6, timeout_s=60)
    assert supervisor._children[0].failures > 6, "it was tried again more often than one that never ran"


def test_stopping_is_bounded_even_for_a_child_that_does_not_listen(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(python("stubborn", STUBBORN, grace_s=0.5))
    supervisor.run(until=said(tmp_path, "stubborn", "up"), timeout_s=10)
    process = psutil.Process(supervisor.pids()["stubborn"])
    started_at = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started_at < 3
    assert not process.is_running()


def test_logs_go_to_a_file_and_warnings_to_stderr(supervisor: Supervisor, tmp_path: Path, capfd) -> None:
    supervisor.start(python("loud", LOUD))
    supervisor.run(until=said(tmp_path, "loud", "broken\n"), timeout_s=10)
    assert (tmp_path / "loud.log").read_text() == "fine\nERROR: broken\n"
    assert capfd.readouterr().err == "loud | ERROR: broken\n"


def test_a_full_disk_costs_log_lines_and_nothing_else(tmp_path: Path, monkeypatch) -> None:
    full = Log(Path("/dev/full"))
    full.write(b"lost\n")
    full.close()
    monkeypatch.setattr("app.stack.supervisor._LOG_BYTES", 10)
    log = Log(tmp_path / "one.log")
    for line in (b"a long line\n", b"short\n"):
        log.write(line)
    log.close()
    assert (tmp_path / "one.log.1").read_bytes() == b"a long line\n"
    assert (tmp_path / "one.log").read_bytes() == b"short\n"


TRACE = """
import logging, time
logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
log = logging.getLogger("x")
log.info("before")
try:
    try:
        {}["missing"]
    except KeyError as error:
        raise ValueError("the key\\nis gone") from error
except ValueError:
    log.exception("it failed")
log.info("after")
time.sleep(60)
"""


def test_a_trace_is_echoed_to_its_last_line_and_what_follows_is_not(
    supervisor: Supervisor, tmp_path: Path, capfd
) -> None:
    supervisor.start(python("failing", TRACE))
    supervisor.run(until=said(tmp_path, "failing", "after\n"), timeout_s=10)
    said_loudly = capfd.readouterr().err.splitlines()
    assert all(line.startswith("failing | ") for line in said_loudly)
    assert [line for line in said_loudly if line.endswith(("before", "after"))] == []
    assert "it failed" in said_loudly[0]
    assert said_loudly[-2:] == ["failing | ValueError: the key", "failing | is gone"]
    assert "failing | KeyError: 'missing'" in said_loudly
    assert sum(line.startswith('failing |   File "<string>", line ') for line in said_loudly) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the children of a killed process")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from tests.integration.stack.test_supervisor import STUBBORN, python
from app.stack.supervisor import Supervisor
supervisor = Supervisor(Path({str(tmp_path)!r}))
supervisor.start(python("stubborn", STUBBORN))
print(supervisor.pids()["stubborn"], flush=True)
supervisor.run()
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait(10)
    parent.stdout.close()
    child.wait(5)
