"""/v1/keys: who may call. /v1/audit: who did what to keys, deployments and webhooks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.catalog.audit import entries_after
from app.catalog.keys import KeyRepository
from app.formats.bodies import AuditBody, KeyBody, audit_body, key_body
from app.http.auditing import Log
from app.http.deps import AdminCaller, PageOf, Tx
from app.http.lists import ListBody, list_body
from app.http.schemas.learning import KeyIn
from app.services import keys

router = APIRouter(tags=["keys"])


@router.get("/v1/keys")
def list_keys(tx: Tx, _: AdminCaller, page: PageOf) -> ListBody[KeyBody]:
    """List keys, newest first."""
    return list_body(KeyRepository(tx).list_after(limit=page.limit, after=page.after), key_body)


@router.post("/v1/keys", status_code=201)
def create_key(tx: Tx, _: AdminCaller, log: Log, body: KeyIn) -> KeyBody:
    """Make a key; its secret is shown this once."""
    row, key = keys.issue(tx, body.name, list(body.scopes), body.expires_in_s)
    log("key.created", row.id, name=row.name, scopes=list(row.scopes))
    return {**key_body(row), "key": key}


@router.delete("/v1/keys/{key_id}")
def revoke_key(tx: Tx, _: AdminCaller, log: Log, key_id: UUID) -> KeyBody:
    """Switch a key off for good."""
    row = KeyRepository(tx).revoke(key_id)
    log("key.revoked", row.id, name=row.name)
    return key_body(row)


@router.get("/v1/audit")
def list_audit(
    tx: Tx, _: AdminCaller, page: PageOf, action: Annotated[str | None, Query(max_length=50)] = None
) -> ListBody[AuditBody]:
    """List who did what, newest first; an entry is never changed, and stays when its key is gone."""
    return list_body(entries_after(tx, action=action, limit=page.limit, after=page.after), audit_body)
