"""The catalog as writers' ledger: what one worker of an order found out, the others read. Called from several threads."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.catalog.ledger import LedgerRepository
from workers.context import JobContext


class CatalogLedger:
    """Implements `models.writers.types.Ledger` for one order.

    An entry commits at once and is not fenced by a lease: it was paid for, and true whoever found it out.
    """

    def __init__(self, job: JobContext, order_id: UUID) -> None:
        self._job, self._order_id = job, order_id

    def find(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """See `Ledger.find`."""
        with self._job.transaction() as session:
            return LedgerRepository(session, self._order_id).find(keys)

    def keep(self, key: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Ledger.keep`."""
        with self._job.transaction() as session:
            ledger = LedgerRepository(session, self._order_id)
            ledger.keep(key, found)
            return ledger.find([key])[key]
