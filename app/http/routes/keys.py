"""/v1/keys: who may call and how much each may store. /v1/storage: what the tenant stores. /v1/audit: who did what."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.catalog.audit import entries_after
from app.catalog.keys import KeyRepository
from app.catalog.storage_use import StorageUses
from app.formats.bodies import AuditBody, KeyBody, StorageBody, audit_body, key_body, storage_body
from app.http.auditing import Log
from app.http.deps import AdminCaller, MarkCaller, PageOf, Tx
from app.http.lists import ListBody, list_body
from app.http.schemas.learning import KeyIn, KeyLimitsIn
from app.services import keys

router = APIRouter(tags=["keys"])


@router.get("/v1/keys")
def list_keys(tx: Tx, _: AdminCaller, page: PageOf) -> ListBody[KeyBody]:
    """List keys, newest first."""
    found = KeyRepository(tx).list_after(limit=page.limit, after=page.after)
    use = StorageUses(tx).of_keys([row.id for row in found.rows])
    return list_body(found, lambda row: key_body(row, use[row.id]))


@router.post("/v1/keys", status_code=201)
def create_key(tx: Tx, _: AdminCaller, log: Log, body: KeyIn) -> KeyBody:
    """Make a key; its secret is shown this once."""
    row, key = keys.issue(tx, body.name, list(body.scopes), body.expires_in_s)
    use = keys.limit(tx, row.id, body.model_dump(include=keys.LIMITS))
    log(
        "key.created",
        row.id,
        name=row.name,
        scopes=list(row.scopes),
        **body.model_dump(include=keys.LIMITS, exclude_none=True),
    )
    return {**key_body(row, use), "key": key}


@router.patch("/v1/keys/{key_id}")
def limit_key(tx: Tx, _: AdminCaller, log: Log, key_id: UUID, body: KeyLimitsIn) -> KeyBody:
    """Say how much may be stored through a key. What is stored already stays; over the limit nothing more is let in."""
    row = KeyRepository(tx).get(key_id)
    changes = body.model_dump(exclude_unset=True)
    use = keys.limit(tx, row.id, changes)
    log("key.limited", row.id, name=row.name, **changes)
    return key_body(row, use)


@router.delete("/v1/keys/{key_id}")
def revoke_key(tx: Tx, _: AdminCaller, log: Log, key_id: UUID) -> KeyBody:
    """Switch a key off for good; what it let in stays, and counts."""
    row = KeyRepository(tx).revoke(key_id)
    log("key.revoked", row.id, name=row.name)
    return key_body(row, StorageUses(tx).of_keys([row.id])[row.id])


@router.get("/v1/storage")
def show_storage(tx: Tx, _: MarkCaller) -> StorageBody:
    """Show what the tenant stores in all, and how much it may; the operator sets that."""
    return storage_body(StorageUses(tx).of_tenant())


@router.get("/v1/audit")
def list_audit(
    tx: Tx, _: AdminCaller, page: PageOf, action: Annotated[str | None, Query(max_length=50)] = None
) -> ListBody[AuditBody]:
    """List who did what, newest first; an entry is never changed, and stays when its key is gone."""
    return list_body(entries_after(tx, action=action, limit=page.limit, after=page.after), audit_body)
