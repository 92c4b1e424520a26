"""Says in Postgres that this worker process lives, which queues it serves and what its GPUs hold; `/readyz` and `/metrics` read it.

A thread of each pool child, so that the row speaks for the process that does the work. Not used for leases: those
are on the job's own row.
"""

import logging
import threading
from collections.abc import Callable

from sqlalchemy import Engine, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import queue_transaction
from app.catalog.tables import WorkerProcessRow
from app.queue.leases import NOW
from workers.gpus import seen

_log = logging.getLogger(__name__)
PRESENCE_EVERY_S = 5.0


class Presence:
    """Refreshes one row of `worker_processes` until stopped, then takes it away; `look` is called as often."""

    def __init__(
        self, engine: Engine, name: str, queues: tuple[str, ...], *, look: Callable[[], None] = lambda: None
    ) -> None:
        self._engine, self._name, self._queues, self._look = engine, name, list(queues), look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take the row away."""
        self._stop.set()
        self._thread.join(2)
        try:
            with queue_transaction(self._engine) as session:
                session.execute(delete(WorkerProcessRow).where(WorkerProcessRow.name == self._name))
        except SQLAlchemyError:
            _log.debug("the presence row stays; the reaper removes it")

    def _run(self) -> None:
        while True:
            try:
                self._refresh()
                self._look()
            except SQLAlchemyError as exc:
                _log.warning("presence not written: %s", type(exc).__name__)
            if self._stop.wait(PRESENCE_EVERY_S):
                return

    def _refresh(self) -> None:
        gpus = seen()
        row = insert(WorkerProcessRow).values(name=self._name, queues=self._queues, gpus=gpus)
        with queue_transaction(self._engine) as session:
            session.execute(
                row.on_conflict_do_update(index_elements=["name"], set_={"last_seen_at": NOW, "gpus": gpus})
            )
