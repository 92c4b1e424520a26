"""One child process: how it is started, how it dies with us, how it is stopped, how a leftover is found.

Used by the servers and the supervisor. Every child leads a process group of its own, so a stop reaches what it
forked and a Ctrl-C in the terminal reaches only us.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from app.stack.accounts import Account

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to start. `prepare` runs before every start, also a restart, and clears what a killed run left."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] | None = None
    folder: Path | None = None
    account: Account | None = None
    inherited_descriptors: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL
    stop_grace_s: float = 10.0
    prepare: Callable[[], None] = field(default=lambda: None)


def _die_with_parent(parent_pid: int, orphan_signal: int) -> Callable[[], None]:
    """Return a hook for the new child that makes the kernel signal it when we die, however we die."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def hook() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, orphan_signal, 0, 0, 0)
        if os.getppid() != parent_pid:
            os._exit(1)  # the parent died between fork and prctl

    return hook


def bind_to_parent(orphan_signal: signal.Signals = signal.SIGKILL) -> None:
    """Make this process (a forked pool child) die when its parent does."""
    _die_with_parent(os.getppid(), orphan_signal)()


def spawn(spec: ProcessSpec, *, output: IO[bytes] | int) -> "subprocess.Popen[bytes]":
    """Start `spec` with stdout and stderr to `output`. Call it from the main thread: the kernel ties to the thread."""
    spec.prepare()
    account = spec.account
    return subprocess.Popen(
        list(spec.argv),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(spec.environment) if spec.environment is not None else None,
        cwd=spec.folder,
        start_new_session=True,
        pass_fds=spec.inherited_descriptors,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        # The hook must run in the child, after the switch of accounts (which clears it); our callers have one thread.
        preexec_fn=_die_with_parent(os.getpid(), spec.orphan_signal),  # noqa: PLW1509  # no other thread holds a lock
    )


def signal_process(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send `number` to the process; a process that is gone is fine."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL whatever is left in the group that `process` leads."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(process: "subprocess.Popen[bytes]", spec: ProcessSpec) -> int:
    """Ask, wait at most `stop_grace_s`, then kill the group; return the exit code."""
    signal_process(process, spec.stop_signal)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(spec.stop_grace_s)
    kill_group(process)
    return process.wait(5)


def leftovers(program: str, folder: Path) -> list[psutil.Process]:
    """Return live processes called `program` whose working folder is `folder`: the servers of a killed run.

    Both servers change into their data folder, so this finds them, and their forks, without trusting a pid file
    whose number may belong to somebody else by now.
    """
    found = []
    wanted = str(folder.resolve())
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] == program and process.cwd() == wanted and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def end_leftovers(program: str, folder: Path, *, ask: signal.Signals, grace_s: float = 10.0) -> int:
    """Stop the leftovers of a killed run; return how many there were. `ask` first, SIGKILL after `grace_s`."""
    found = leftovers(program, folder)
    pids = {process.pid for process in found}
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() not in pids:  # a server ends its own forks, to which the signal means something else
                process.send_signal(ask)
    # Scanned again rather than waited for: as orphans they may stay zombies where nobody reaps them.
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and leftovers(program, folder):
        time.sleep(0.05)
    for process in leftovers(program, folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and leftovers(program, folder):
        time.sleep(0.05)
    return len(found)
