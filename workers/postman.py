"""Delivers webhooks: takes on what is due, posts it with no transaction open, writes what came of it.

A thread of the housekeeping process. At least once: a postman that dies between posting and writing posts again, and receivers
know a repetition by its `webhook-id`. Knows nothing of what an event says.
"""

import logging
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.catalog.session import queue_transaction, transaction
from app.catalog.webhooks import Due, WebhookRepository, claim_due
from app.errors import NotFound
from app.imaging.errors import ImagingError
from app.imaging.fetch import FetchPolicy, Resolver, post, system_resolver
from app.services import webhooks

_log = logging.getLogger(__name__)

RETRY_AFTER_S = (5, 30, 120, 600, 1_800, 7_200, 21_600, 43_200)
"""Nine tries within a day: an hour of maintenance at the receiver loses nothing, and neither does a night."""
_LEASE_S = 60.0
_POLL_S = 1.0
_AT_ONCE = 8
_GONE = 410


class Postman:
    """Runs until `stop`; several may run at once."""

    def __init__(
        self,
        queue_engine: Engine,
        engine: Engine,
        policy: FetchPolicy,
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._queue_engine, self._engine, self._policy = queue_engine, engine, policy
        self._retry_after_s, self._resolver = retry_after_s, resolver
        self._stop = threading.Event()

    def stop(self) -> None:
        """Make `run` return once what is on its way has arrived."""
        self._stop.set()

    def run(self) -> None:
        """Deliver until stopped; survives the loss of Postgres."""
        while not self._stop.is_set():
            try:
                busy = self.round()
            except SQLAlchemyError as exc:
                _log.warning("webhooks wait, the database does not answer: %s", type(exc).__name__)
                busy = 0
            if not busy:
                self._stop.wait(_POLL_S)

    def round(self) -> int:
        """Deliver what is due now, a few at a time, so that a receiver that hangs holds up no other; return how many."""
        with queue_transaction(self._queue_engine) as session:
            taken = claim_due(session, limit=_AT_ONCE, lease_s=_LEASE_S)
        if taken:
            with ThreadPoolExecutor(len(taken), thread_name_prefix="markwise-webhook") as pool:
                for future in [pool.submit(self._deliver_unless_gone, due) for due in taken]:
                    future.result()
        return len(taken)

    def _deliver_unless_gone(self, due: Due) -> None:
        # A webhook, or the job it would tell of, may be deleted from the moment the delivery was claimed: its log went with it.
        with suppress(NotFound):
            self._deliver(due)

    def _deliver(self, due: Due) -> None:
        with transaction(self._engine, due.tenant_id) as session:
            rows = WebhookRepository(session)
            row = rows.delivery(due.id)
            webhook = rows.get(row.webhook_id)
            if not webhook.active:
                rows.settle(due, status="failed", error="The webhook is switched off.")
                return
            url, secret, body = webhook.url, webhook.secret, webhooks.payload(session, row)
        headers = webhooks.signed_headers(secret, str(due.id), int(time.time()), body)
        status, trouble = None, None
        try:
            status = post(url, body, headers, self._policy, resolver=self._resolver)
        except ImagingError as exc:
            trouble = _TROUBLES.get(exc.code, "Nobody answered.")
        with transaction(self._engine, due.tenant_id) as session:
            self._settle(WebhookRepository(session), due, status, trouble)
            if status == _GONE:
                WebhookRepository(session).change(webhook.id, {"active": False})

    def _settle(self, rows: WebhookRepository, due: Due, status: int | None, trouble: str | None) -> None:
        if status is not None and 200 <= status < 300:
            rows.settle(due, status="delivered", response_status=status, error=None)
            return
        error = trouble or f"The receiver answered {status}."
        tries = len(self._retry_after_s) + 1
        if status == _GONE or due.attempt % tries == 0:
            rows.settle(due, status="failed", response_status=status, error=error)
            return
        # Spread, so that a receiver that comes back does not meet everything at once.
        wait_s = self._retry_after_s[due.attempt % tries - 1] * random.uniform(0.9, 1.1)
        rows.settle(due, status="queued", due_in_s=wait_s, response_status=status, error=error)


_TROUBLES = {
    "url.refused": "The address is not one that may be called.",
    "url.timeout": "The receiver did not answer in time.",
}
