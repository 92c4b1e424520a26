"""Webhooks and the log of their deliveries; `announce` and `claim_due` are the queue's part, which sees no address and no secret."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, String, cast, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from app.catalog.paging import Page, page_after
from app.catalog.tables import JobRow, WebhookDeliveryRow, WebhookRow
from app.errors import NotFound

NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery that somebody has taken on; `attempt` fences what he writes about it."""

    id: UUID
    tenant_id: UUID
    attempt: int


def announce(session: Session, job_id: UUID, event: str) -> None:
    """Write a delivery for every webhook that wants `event` of this job, in the transaction in which it happens."""
    # A column of strings on both sides of @>, so that an array of any length needs one plan.
    wanted = (
        select(WebhookRow.id, WebhookRow.tenant_id, JobRow.id, literal(event))
        .join(JobRow, JobRow.tenant_id == WebhookRow.tenant_id)
        .where(
            JobRow.id == job_id,
            WebhookRow.active,
            WebhookRow.events.contains(cast([event], ARRAY(String))),
            or_(WebhookRow.kinds.is_(None), JobRow.kind == func.any(WebhookRow.kinds)),
        )
    )
    columns = ("webhook_id", "tenant_id", "job_id", "event")
    session.execute(insert(WebhookDeliveryRow).inline().from_select(columns, wanted, include_defaults=False))


def claim_due(session: Session, *, limit: int, lease_s: float) -> list[Due]:
    """Take on up to `limit` due deliveries of any tenant; one that is not settled within the lease is due again."""
    due = (
        select(WebhookDeliveryRow.id)
        .where(WebhookDeliveryRow.status == "queued", WebhookDeliveryRow.due_at <= NOW)
        .order_by(WebhookDeliveryRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(WebhookDeliveryRow)
        .where(WebhookDeliveryRow.id.in_(due))
        .values(attempts=WebhookDeliveryRow.attempts + 1, due_at=NOW + timedelta(seconds=lease_s))
        .returning(WebhookDeliveryRow.id, WebhookDeliveryRow.tenant_id, WebhookDeliveryRow.attempts)
        .execution_options(synchronize_session=False)
    )
    return [Due(id=row.id, tenant_id=row.tenant_id, attempt=row.attempts) for row in session.execute(statement)]


class WebhookRepository:
    """All other SQL about webhooks, within one tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, row: WebhookRow) -> WebhookRow:
        """Insert a webhook and return it with its id."""
        self.session.add(row)
        self.session.flush()
        return row

    def get(self, webhook_id: UUID) -> WebhookRow:
        """Return one webhook; raises NotFound."""
        row = self.session.get(WebhookRow, webhook_id)
        if row is None:
            raise NotFound("There is no webhook with this id.")
        return row

    def change(self, webhook_id: UUID, changes: dict[str, Any]) -> WebhookRow:
        """Change fields of a webhook and return it; raises NotFound."""
        row = self.get(webhook_id)
        for name, value in changes.items():
            setattr(row, name, value)
        self.session.flush()
        return row

    def delete(self, webhook_id: UUID) -> None:
        """Forget a webhook and its log; raises NotFound."""
        self.session.delete(self.get(webhook_id))

    def list_after(self, *, limit: int, after: str | None) -> Page[WebhookRow]:
        """Return a page of webhooks, newest first."""
        return page_after(self.session, select(WebhookRow), WebhookRow, limit=limit, after=after)

    def count(self) -> int:
        """Count the tenant's webhooks."""
        return self.session.scalar(select(func.count()).select_from(WebhookRow)) or 0

    def deliveries_after(self, webhook_id: UUID, *, limit: int, after: str | None) -> Page[WebhookDeliveryRow]:
        """Return a page of a webhook's log, newest first; raises NotFound."""
        query = select(WebhookDeliveryRow).where(WebhookDeliveryRow.webhook_id == self.get(webhook_id).id)
        return page_after(self.session, query, WebhookDeliveryRow, limit=limit, after=after)

    def delivery(self, delivery_id: UUID, webhook_id: UUID | None = None) -> WebhookDeliveryRow:
        """Return one delivery (of that webhook, if one is named); raises NotFound."""
        row = self.session.get(WebhookDeliveryRow, delivery_id)
        if row is None or webhook_id not in {None, row.webhook_id}:
            raise NotFound("There is no delivery with this id.")
        return row

    def add_delivery(self, webhook_id: UUID, event: str) -> WebhookDeliveryRow:
        """Order a delivery that is about no job."""
        row = WebhookDeliveryRow(webhook_id=webhook_id, event=event)
        self.session.add(row)
        self.session.flush()
        return row

    def send_again(self, row: WebhookDeliveryRow) -> WebhookDeliveryRow:
        """Make a delivery due now, whatever became of it; its attempts are counted on."""
        row.status, row.delivered_at, row.error = "queued", None, None
        self.session.execute(
            update(WebhookDeliveryRow)
            .where(WebhookDeliveryRow.id == row.id)
            .values(due_at=NOW)
            .execution_options(synchronize_session=False)
        )
        self.session.flush()
        return row

    def settle(self, due: Due, *, status: str, due_in_s: float = 0.0, **values: Any) -> bool:
        """Write what an attempt came to, unless a later attempt has begun; returns whether it was written."""
        delivered_at = NOW if status == "delivered" else None
        statement = (
            update(WebhookDeliveryRow)
            .where(WebhookDeliveryRow.id == due.id, WebhookDeliveryRow.attempts == due.attempt)
            .values(status=status, due_at=NOW + timedelta(seconds=due_in_s), delivered_at=delivered_at, **values)
            .returning(WebhookDeliveryRow.id)
            .execution_options(synchronize_session=False)
        )
        return self.session.scalar(statement) is not None
