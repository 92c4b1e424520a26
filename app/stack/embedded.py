"""The embedded Postgres and Redis as one thing: started for a block, or joined if a `serve` already runs them.

Used by commands, tests and `serve`. Knows nothing of workers or the API.
"""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from app.settings import Settings
from app.stack import lock, postgres_server, processes, redis_server
from app.stack.layout import DataFolder
from app.stack.processes import ProcessSpec


def data_folder(settings: Settings) -> DataFolder:
    """The layout under `settings.home`."""
    return DataFolder(home=settings.data_folder)


def addresses(settings: Settings) -> Settings:
    """Return settings that point at the embedded servers of the data folder, whether they run or not."""
    folder = data_folder(settings)
    return settings.resolved(database_url=postgres_server.url(folder), redis_url=redis_server.url(folder))


def lock_path(folder: DataFolder) -> Path:
    """The lock file of a running stack."""
    return folder.run / "lock"


@contextmanager
def _running(spec: ProcessSpec, log: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    process = processes.spawn(spec, output=log)
    try:
        yield process
    finally:
        processes.stop(process, spec)


def _alive(process: "subprocess.Popen[bytes]") -> Callable[[], bool]:
    return lambda: process.poll() is None


@contextmanager
def started(settings: Settings, *, postgres_options: Sequence[tuple[str, str]] = ()) -> Iterator[Settings]:
    """Run both servers for the block and yield settings that point at them.

    Takes the lock of the data folder: raises AlreadyRunning if a stack of it runs, DataFolderUnusable if one of the
    servers cannot start. Call it from the main thread.
    """
    folder = data_folder(settings)
    folder.create()
    with ExitStack() as stack:
        stack.enter_context(lock.exclusive(lock_path(folder), home=folder.home))
        redis_log = stack.enter_context((folder.logs / "redis.log").open("ab"))
        redis = stack.enter_context(_running(redis_server.spec(folder), redis_log))
        postgres_log = stack.enter_context((folder.logs / "postgres.log").open("ab"))
        spec = postgres_server.spec(folder, options=postgres_options)
        postgres = stack.enter_context(_running(spec, postgres_log))
        redis_server.wait_ready(folder, _alive(redis))
        postgres_server.wait_ready(folder, _alive(postgres))
        postgres_server.create_database(folder)
        yield addresses(settings)


@contextmanager
def available(settings: Settings) -> Iterator[Settings]:
    """Yield settings with working addresses: the configured servers, those of a running `serve`, or our own.

    For commands such as `keys` or `migrate`, which must work beside a running server and without one.
    """
    if not settings.embedded:
        yield settings
    elif lock.held(lock_path(data_folder(settings))):
        yield addresses(settings)
    else:
        with started(settings) as found:
            yield found
