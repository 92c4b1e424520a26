"""Deleting every row of a tenant, sealed datasets too: with the owner's connection, for the service's role may not open a seal.

Tables are read from the schema, children before their parents. Called by `app.services.forgetting`. Knows no blob.
"""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Engine, Table, delete, func, update

from app.catalog.audit import record
from app.catalog.keys import KeyRepository
from app.catalog.session import transaction
from app.catalog.tables import AuditEntryRow, Base, TenantTableRow

STAYS = frozenset({AuditEntryRow.__tablename__})
"""Who did what outlives what was done: nobody can take it away, and no word of a picture is in it."""
_TABLES = [
    table for table in reversed(Base.metadata.sorted_tables) if "tenant_id" in table.columns and table.name not in STAYS
]
# Who was let in before his key was gone may still write: what he left is found in the next pass.
_PASSES = 5


def tenant_named(owner: Engine, name: str) -> UUID:
    """Return the id of a tenant; raises NotFound."""
    with transaction(owner, None) as session:
        return KeyRepository(session).tenant_id(name)


def empty(owner: Engine, tenant_id: UUID, *, actor: str) -> dict[str, int]:
    """Delete all rows of a tenant but `STAYS`, and note it there; returns how many there were of each table.

    Each table is a transaction: who is killed in between calls it again.
    """
    with transaction(owner, tenant_id) as session:
        session.execute(update(TenantTableRow).where(TenantTableRow.id == tenant_id).values(emptied_since=func.now()))
    gone: dict[str, int] = {}
    for _ in range(_PASSES):
        found = {table.name: _deleted(owner, tenant_id, table) for table in _TABLES}
        for name, count in found.items():
            gone[name] = gone.get(name, 0) + count
        if not any(found.values()):
            break
    told = {name: count for name, count in gone.items() if count}
    with transaction(owner, tenant_id) as session:
        session.execute(update(TenantTableRow).where(TenantTableRow.id == tenant_id).values(emptied_since=None))
        record(session, "tenant.emptied", tenant_id, actor=actor, detail={"rows": sum(told.values())})
    return told


def _deleted(owner: Engine, tenant_id: UUID, table: Table) -> int:
    with transaction(owner, tenant_id) as session:
        done = session.execute(delete(table).where(table.c.tenant_id == tenant_id))
        return cast("CursorResult[Any]", done).rowcount
