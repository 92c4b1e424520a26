"""The housekeeping process: dispatcher and reaper in one loop, woken by Postgres, beside them the postman of webhooks and the sweeper.

`python -m workers.housekeeping`. Survives the loss of Redis and of Postgres. Any number may run; one per installation is enough.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import app_engine, queue_engine
from app.queue.broker import HintBroker, HintsDown
from app.queue.tasks import OUTBOX_CHANNEL
from app.services.images import fetch_policy
from app.settings import Settings
from app.storage.blobs import open_blobs
from app.telemetry.logs import start_logging
from workers.dispatcher import Dispatcher
from workers.postman import Postman
from workers.reaper import Reaper
from workers.sweeper import Sweeper

_log = logging.getLogger(__name__)
_DOWN_PAUSE_S = 1.0
_LAST_DELIVERY_S = 10.0  # the longest that one receiver is given


class Housekeeper:
    """Runs until `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine = queue_engine(settings, name="markwise-housekeeping")
        self._broker = HintBroker(settings)
        self._dispatcher = Dispatcher(self._engine, self._broker, outstanding=settings.outstanding_hints)
        self._reaper = Reaper(
            self._engine, self._broker, resend_s=settings.hint_resend_s, outstanding=settings.outstanding_hints
        )
        # Two connections are enough: nothing is open while a receiver is waited for.
        self._tenant_engine = app_engine(settings, name="markwise-postman", pool_size=2)
        self._postman = Postman(self._engine, self._tenant_engine, fetch_policy(settings))
        self._blobs = open_blobs(settings.blobs_place)
        self._sweeper = Sweeper(self._tenant_engine, self._blobs, settings)
        self._stop = threading.Event()
        self._reap_at = 0.0
        self._scan_at = 0.0
        self._redis_down = False
        self._died: BaseException | None = None

    def stop(self) -> None:
        """Make `run` return within a poll."""
        self._stop.set()

    def run(self) -> None:
        """Keep house until stopped; raises what a thread beside it died of, so that nothing goes on half alive."""
        beside = [
            threading.Thread(target=self._to_the_end, args=(work,), name=name, daemon=True)
            for name, work in (("markwise-postman", self._postman.run), ("markwise-sweeper", self._sweeper.run))
        ]
        for thread in beside:
            thread.start()
        try:
            while not self._stop.is_set():
                try:
                    self._listen()
                except (psycopg.Error, SQLAlchemyError) as exc:
                    _log.warning("the database does not answer: %s", type(exc).__name__)
                    self._stop.wait(_DOWN_PAUSE_S)
        finally:
            self._postman.stop()
            self._sweeper.stop()
            for thread in beside:
                thread.join(_LAST_DELIVERY_S)
            self._blobs.close()
            self._broker.close()
            self._engine.dispose()
            self._tenant_engine.dispose()
        if self._died is not None:
            raise self._died

    def _to_the_end(self, work: Callable[[], None]) -> None:
        # A thread that is gone is missed by nobody; a process that ends is started again, and its log says why.
        try:
            work()
        except BaseException as exc:
            self._died = exc
            self.stop()

    def _listen(self) -> None:
        with psycopg.connect(
            self._settings.queue_url, autocommit=True, application_name="markwise-dispatcher", connect_timeout=5
        ) as connection:
            connection.execute(f"LISTEN {OUTBOX_CHANNEL}")
            self.tidy()
            while not self._stop.is_set():
                notices = connection.notifies(timeout=self._settings.dispatch_poll_s, stop_after=1)
                self.tidy({notice.payload for notice in notices})

    def tidy(self, queues: set[str] | None = None) -> None:
        """One pass: send hints of the queues that were named, every half second of all; every few seconds reap."""
        named: set[str] | None = queues
        if time.monotonic() >= self._scan_at:  # also under constant traffic: delayed jobs are announced by nobody
            self._scan_at = time.monotonic() + self._settings.dispatch_poll_s
            named = None
        self._try("hints wait for Redis", lambda: self._dispatcher.dispatch(named))
        if time.monotonic() >= self._reap_at:
            self._reap_at = time.monotonic() + self._settings.reap_every_s
            self._reaper.reap()
            self._try("hints cannot be repeated", self._reaper.repeat_hints)

    def _try(self, trouble: str, act: Callable[[], int]) -> None:
        try:
            act()
            self._redis_down = False
        except HintsDown:
            if not self._redis_down:
                _log.warning("Redis does not answer: %s", trouble)
            self._redis_down = True
            self._stop.wait(self._settings.dispatch_poll_s)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings()
    start_logging(settings, "housekeeping")
    keeper = Housekeeper(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.stop())
    keeper.run()


if __name__ == "__main__":
    main()
