"""What the workers of an annotation order tell each other, so that none of them pays a teacher for what another was told."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import LedgerEntryRow


class LedgerRepository:
    """All SQL about ledgers; one belongs to one order and goes with it."""

    def __init__(self, session: Session, order_id: UUID) -> None:
        self.session, self._order_id = session, order_id

    def find(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return what is kept under those of `keys` that anything is kept under."""
        names = {_sha256(key): key for key in keys}
        query = select(LedgerEntryRow.key_sha256, LedgerEntryRow.found).where(
            LedgerEntryRow.job_id == self._order_id, LedgerEntryRow.key_sha256.in_(names)
        )
        return {names[row.key_sha256]: row.found for row in self.session.execute(query)}

    def keep(self, key: str, found: Mapping[str, Any]) -> None:
        """Keep what was found, unless something is kept under the key."""
        entry = insert(LedgerEntryRow).values(job_id=self._order_id, key_sha256=_sha256(key), found=dict(found))
        self.session.execute(entry.on_conflict_do_nothing())


def _sha256(key: str) -> str:
    # A key may be longer than what an index takes.
    return hashlib.sha256(key.encode()).hexdigest()
