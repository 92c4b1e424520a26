"""One running stack per data folder: an exclusive lock that the kernel drops when its process dies.

Knows nothing of what the holder does. The file itself may stay behind; only the kernel's lock counts.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process uses this data folder."""

    def __init__(self, home: Path, pid: int | None) -> None:
        holder = f" (process {pid})" if pid is not None else ""
        super().__init__(
            f"another Markwise{holder} already uses the data folder {home}; stop it or set MARKWISE_HOME to another folder"
        )
        self.pid = pid


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).split(b"\n")[0].strip()
    return int(text) if text.isdigit() else None


@contextmanager
def exclusive(path: Path, *, home: Path) -> Iterator[None]:
    """Hold the lock at `path` for the block; raises AlreadyRunning at once if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise AlreadyRunning(home, _holder(descriptor)) from exc
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def held(path: Path) -> bool:
    """True if a live process holds the lock at `path`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
