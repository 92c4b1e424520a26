"""API keys and tenants."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.session import at_once, of_key
from app.catalog.tables import KeyRow, TenantTableRow
from app.errors import NotFound

LOCAL_TENANT = "local"

# Runs before the tenant is known: the row policy shows exactly the row whose hash is in `app.key_sha256`.
_LIVE = """
    SELECT id, tenant_id, scopes FROM keys
    WHERE key_sha256 = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveKey:
    """What a request needs to know of its key."""

    id: UUID
    tenant_id: UUID
    scopes: frozenset[str]


def find_live(engine: Engine, key_sha256: bytes) -> LiveKey | None:
    """Return the key with this hash unless it is revoked or expired."""
    for key_id, tenant_id, scopes in at_once(engine, of_key(key_sha256), _LIVE, (key_sha256,)):
        return LiveKey(id=key_id, tenant_id=tenant_id, scopes=frozenset(scopes))
    return None


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

    def add_tenant(self, name: str) -> None:
        """Make a tenant of this name, unless there is one."""
        self.session.execute(insert(TenantTableRow).values(name=name).on_conflict_do_nothing())

    def tenant_ids(self) -> list[UUID]:
        """Return the ids of all tenants."""
        return list(self.session.scalars(select(TenantTableRow.id)))

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
