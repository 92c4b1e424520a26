"""Deletes what is past its time every hour and orphaned blobs every day; a thread of the housekeeping process.

Any number may run at once: what one has deleted the other does not find. Knows no rule of its own, see `app.services.forgetting`.
"""

import logging
import threading
import time

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.keys import KeyRepository
from app.catalog.session import transaction
from app.services.forgetting import Forgetting, keep_times
from app.settings import Settings
from app.storage.blobs import BlobError, BlobStore

_log = logging.getLogger(__name__)
_EXPIRE_EVERY_S = 3_600.0
_SWEEP_EVERY_S = 86_400.0
# Not at the start, when everything else wants the disk.
_FIRST_S = 600.0


class Sweeper:
    """Runs until `stop`."""

    def __init__(self, engine: Engine, blobs: BlobStore, settings: Settings) -> None:
        self._engine, self._blobs, self._keep = engine, blobs, keep_times(settings)
        self._stop = threading.Event()
        self._sweep_at = time.monotonic() + _SWEEP_EVERY_S / 24

    def stop(self) -> None:
        """Make `run` return after the tenant it is at."""
        self._stop.set()

    def run(self) -> None:
        """Expire and sweep until stopped; survives the loss of Postgres and of the store."""
        wait_s = _FIRST_S
        while not self._stop.wait(wait_s):
            wait_s = _EXPIRE_EVERY_S
            try:
                self.round()
            except (SQLAlchemyError, BlobError) as exc:
                _log.warning("nothing was swept: %s", type(exc).__name__)

    def round(self) -> None:
        """Expire what is old for every tenant; once a day look for orphaned blobs too."""
        sweeping = time.monotonic() >= self._sweep_at
        if sweeping:
            self._sweep_at = time.monotonic() + _SWEEP_EVERY_S
        with transaction(self._engine, None) as session:
            tenants = KeyRepository(session).tenant_ids()
        for tenant_id in tenants:
            if self._stop.is_set():
                return
            forgetting = Forgetting(engine=self._engine, blobs=self._blobs, tenant_id=tenant_id)
            gone = {kind: count for kind, count in forgetting.expire(self._keep).items() if count}
            blobs = forgetting.sweep().blobs if sweeping else 0
            if gone or blobs:
                _log.info("swept of tenant %s: %s, %d blobs", tenant_id, gone, blobs)
