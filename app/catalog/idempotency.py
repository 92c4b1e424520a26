"""Remembered POSTs: begun once, replayed after, released when they failed."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.tables import IdempotencyRow


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response to be replayed byte for byte."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What was found under a key: mine to run, finished with a response, or running elsewhere."""

    mine: bool
    fingerprint: str
    response: StoredResponse | None


class IdempotencyRepository:
    """All SQL about remembered POSTs of the session's tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def begin(self, route: str, key: str, fingerprint: str, lock_s: int) -> Begun:
        """Take a key, take over one whose owner died, or say what is known of it."""
        until = func.clock_timestamp() + text(f"interval '{int(lock_s)} seconds'")
        values = {"route": route, "key": key, "fingerprint": fingerprint, "locked_until": until}
        taken = self.session.execute(
            insert(IdempotencyRow)
            .values(**values)
            .on_conflict_do_update(
                index_elements=["tenant_id", "route", "key"],
                set_={"locked_until": until},
                where=(IdempotencyRow.status.is_(None))
                & (IdempotencyRow.fingerprint == fingerprint)
                & (IdempotencyRow.locked_until < func.clock_timestamp()),
            )
            .returning(IdempotencyRow.fingerprint)
        ).scalar_one_or_none()
        if taken is not None:
            return Begun(mine=True, fingerprint=taken, response=None)
        row = self.session.scalar(
            select(IdempotencyRow).where(IdempotencyRow.route == route, IdempotencyRow.key == key)
        )
        if row is None:
            return self.begin(route, key, fingerprint, lock_s)
        response = None
        if row.status is not None and row.body is not None:
            response = StoredResponse(status=row.status, headers=row.headers or {}, body=bytes(row.body))
        return Begun(mine=False, fingerprint=row.fingerprint, response=response)

    def extend(self, route: str, key: str, lock_s: int) -> None:
        """Keep the lock of a request that still runs."""
        self.session.execute(
            update(IdempotencyRow)
            .where(IdempotencyRow.route == route, IdempotencyRow.key == key, IdempotencyRow.status.is_(None))
            .values(locked_until=func.clock_timestamp() + text(f"interval '{int(lock_s)} seconds'"))
        )

    def end(self, route: str, key: str, response: StoredResponse | None) -> None:
        """Store the response, or release the key when there is none to keep."""
        mine = (IdempotencyRow.route == route) & (IdempotencyRow.key == key)
        if response is None:
            self.session.execute(delete(IdempotencyRow).where(mine))
            return
        self.session.execute(
            update(IdempotencyRow)
            .where(mine)
            .values(status=response.status, headers=response.headers, body=response.body)
        )
