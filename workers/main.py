"""A Celery worker for some queues: `python -m workers.main --queues interactive --concurrency 1`.

Celery gives us a pool of forked children that are replaced when they crash; everything that must not be lost is in
`runner`. Nothing heavy is imported before the fork, and no CUDA context exists then.
"""

import argparse
import logging
import mmap
import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from celery import Celery, signals

from app.queue.broker import HintBroker, celery_app
from app.queue.tasks import RUN_JOB, Queue
from app.settings import Settings
from app.stack.processes import bind_to_parent
from app.telemetry.logs import start_logging
from app.telemetry.traces import start_tracing
from workers.handlers import HANDLERS
from workers.presence import Presence
from workers.resources import Resources
from workers.runner import Runner
from workers.watchdog import Watchdog

_log = logging.getLogger(__name__)
ResourcesFactory = Callable[[Settings], Resources]


class PoolChild:
    """The state of one pool process: made in the parent, filled in the child after the fork."""

    def __init__(
        self,
        settings: Settings,
        queues: tuple[str, ...],
        registry: Mapping[str, str],
        make_resources: ResourcesFactory,
    ) -> None:
        self._settings, self._queues, self._registry = settings, queues, registry
        self._make_resources = make_resources
        # One byte shared over the fork: set by the parent when it shuts down. No lock that a killed child could hold.
        self._draining = mmap.mmap(-1, 1)
        self._runner: Runner | None = None
        self._presence: Presence | None = None
        self._resources: Resources | None = None

    def begin(self, **_: Any) -> None:
        """In the child, after the fork: connect, load, and say that we are here."""
        if "torch" in sys.modules:
            raise RuntimeError("torch was imported before the fork: a CUDA context would not survive it")
        bind_to_parent()
        start_tracing(self._settings, "worker")  # after the fork: it sends from a thread
        name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._resources = self._make_resources(self._settings)
        self._runner = Runner(self._resources, self._registry, worker=name, draining=self.draining)
        self._resources.warm(self._queues)
        runner = self._runner
        watchdog = Watchdog(HintBroker(self._settings), self._queues, activity=lambda: runner.activity)
        self._presence = Presence(self._resources.queue_engine, name, self._queues, look=watchdog.look)
        self._presence.start()

    def end(self, **_: Any) -> None:
        """In the child, when the pool stops it."""
        if self._presence is not None:
            self._presence.stop()
        if self._resources is not None:
            self._resources.close()

    def drain(self, **_: Any) -> None:
        """In the parent, at SIGTERM: running jobs go back to the queue at their next checkpoint."""
        self._draining[0] = 1

    def draining(self) -> bool:
        """Whether the worker is stopping."""
        return self._draining[0] == 1

    def run(self, job_id: str) -> None:
        """Run the job of one hint; whatever else a message holds is ignored."""
        try:
            wanted = UUID(job_id)
        except (ValueError, AttributeError, TypeError):
            _log.warning("a hint does not carry a job id")
            return
        if self._runner is None:
            raise RuntimeError("the pool child was not initialised")
        self._runner.run(wanted)


def _configure_logging(settings: Settings) -> Callable[..., None]:
    def configure(**_: Any) -> None:
        start_logging(settings, "worker")
        logging.getLogger("celery").setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[settings.log_level]))

    return configure


def worker_app(child: PoolChild, settings: Settings) -> Celery:
    """The Celery app of a worker: one task, and the hooks of a pool child."""
    app = celery_app(settings)
    app.task(name=RUN_JOB, ignore_result=True)(child.run)
    return app


def run_worker(
    settings: Settings,
    queues: tuple[str, ...],
    concurrency: int,
    *,
    registry: Mapping[str, str] = HANDLERS,
    make_resources: ResourcesFactory = Resources,
) -> None:
    """Serve `queues` until SIGTERM; tests pass a registry of their own."""
    child = PoolChild(settings, queues, registry, make_resources)
    app = worker_app(child, settings)
    hooks = (
        (signals.setup_logging, _configure_logging(settings)),
        (signals.worker_process_init, child.begin),
        (signals.worker_process_shutdown, child.end),
        (signals.worker_shutting_down, child.drain),
    )
    for hook, action in hooks:
        hook.connect(action, weak=False)
    arguments = ["worker", "--pool=prefork", f"--concurrency={concurrency}", f"--queues={','.join(queues)}"]
    arguments += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    arguments += [f"--hostname={'-'.join(queues)}.{os.getpid()}@%h"]
    app.worker_main(arguments)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="workers.main", description="a worker process")
    parser.add_argument("--queues", required=True, help="comma-separated: interactive, batch, train")
    parser.add_argument("--concurrency", type=int, default=1, help="pool processes (one per GPU on a GPU machine)")
    arguments = parser.parse_args()
    queues = tuple(Queue(name).value for name in arguments.queues.split(","))
    run_worker(Settings(), queues, arguments.concurrency)


if __name__ == "__main__":
    main()
