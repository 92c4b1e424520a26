"""The log of who did what to keys, deployments and webhooks; rows are added and never changed, which the database holds."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import AuditEntryRow


def record(
    session: Session,
    action: str,
    subject: UUID | str,
    *,
    actor: str,
    key_id: UUID | None = None,
    request_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add an entry in the transaction of the act: either both are there or neither."""
    values = {"action": action, "subject": str(subject), "actor": actor, "key_id": key_id, "request_id": request_id}
    session.execute(insert(AuditEntryRow).inline().values(**values, detail=detail or {}))


def entries_after(session: Session, *, action: str | None, limit: int, after: str | None) -> Page[AuditEntryRow]:
    """Return a page of the log, newest first."""
    query = select(AuditEntryRow)
    if action is not None:
        query = query.where(AuditEntryRow.action == action)
    return page_after(session, query, AuditEntryRow, limit=limit, after=after)
