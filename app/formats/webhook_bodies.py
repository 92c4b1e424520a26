"""Webhooks and deliveries as the contract shows them; never with the secret."""

from typing import NotRequired

from typing_extensions import TypedDict

from app.catalog.tables import WebhookDeliveryRow, WebhookRow
from app.formats.bodies import time_text


class WebhookBody(TypedDict):
    """A subscription; `secret` is there only when it was just made."""

    id: str
    object: str
    url: str
    events: list[str]
    kinds: list[str] | None
    active: bool
    created_at: str
    secret: NotRequired[str]


class DeliveryBody(TypedDict):
    """One entry of the log; `due_at` says when a queued one is tried next."""

    id: str
    object: str
    webhook_id: str
    job_id: str | None
    event: str
    status: str
    attempts: int
    response_status: int | None
    error: str | None
    due_at: str | None
    created_at: str
    delivered_at: str | None


def webhook_body(row: WebhookRow) -> WebhookBody:
    """The contract's webhook."""
    return {
        "id": str(row.id),
        "object": "webhook",
        "url": row.url,
        "events": list(row.events),
        "kinds": None if row.kinds is None else list(row.kinds),
        "active": row.active,
        "created_at": time_text(row.created_at),
    }


def delivery_body(row: WebhookDeliveryRow) -> DeliveryBody:
    """The contract's delivery."""
    return {
        "id": str(row.id),
        "object": "webhook_delivery",
        "webhook_id": str(row.webhook_id),
        "job_id": None if row.job_id is None else str(row.job_id),
        "event": row.event,
        "status": row.status,
        "attempts": row.attempts,
        "response_status": row.response_status,
        "error": row.error,
        "due_at": time_text(row.due_at) if row.status == "queued" else None,
        "created_at": time_text(row.created_at),
        "delivered_at": None if row.delivered_at is None else time_text(row.delivered_at),
    }
