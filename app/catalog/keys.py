"""API keys, tenants and remembered POSTs."""

from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import KeyRow, TenantTableRow
from app.errors import NotFound

LOCAL_TENANT = "local"


class KeyRepository:
    """All SQL about keys and tenants."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def tenant_id(self, name: str) -> UUID:
        """Return the id of a tenant by name; raises NotFound."""
        found = self.session.scalar(select(TenantTableRow.id).where(TenantTableRow.name == name))
        if found is None:
            raise NotFound("There is no tenant with this name.")
        return found

    def tenant_ids(self) -> list[UUID]:
        """Return the ids of all tenants."""
        return list(self.session.scalars(select(TenantTableRow.id)))

    def find_live(self, key_sha256: bytes) -> KeyRow | None:
        """Return the key with this hash unless it is revoked or expired.

        Runs before the tenant is known: the row policy shows exactly the row whose hash is in `app.key_sha256`.
        """
        self.session.execute(text("SELECT set_config('app.key_sha256', :hex, true)"), {"hex": key_sha256.hex()})
        row = self.session.scalar(select(KeyRow).where(KeyRow.key_sha256 == key_sha256))
        if row is None or row.revoked_at is not None:
            return None
        now = self.session.scalar(select(func.clock_timestamp()))
        if row.expires_at is not None and now is not None and row.expires_at <= now:
            return None
        return row

    def get(self, key_id: UUID) -> KeyRow:
        """Return one key; raises NotFound."""
        row = self.session.get(KeyRow, key_id)
        if row is None:
            raise NotFound("There is no key with this id.")
        return row

    def add(self, row: KeyRow) -> KeyRow:
        """Insert a key and return it with its id."""
        self.session.add(row)
        self.session.flush()
        return row

    def revoke(self, key_id: UUID) -> KeyRow:
        """Switch a key off for good; raises NotFound."""
        row = self.get(key_id)
        self.session.execute(
            update(KeyRow).where(KeyRow.id == key_id, KeyRow.revoked_at.is_(None)).values(revoked_at=func.now())
        )
        self.session.refresh(row)
        return row

    def list_after(self, *, limit: int, after: str | None) -> Page[KeyRow]:
        """Return a page of keys, newest first."""
        return page_after(self.session, select(KeyRow), KeyRow, limit=limit, after=after)

    def any_exist(self) -> bool:
        """Whether the tenant has at least one key."""
        return self.session.scalar(select(KeyRow.id).limit(1)) is not None
