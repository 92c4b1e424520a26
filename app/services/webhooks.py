"""Webhooks: who may be told what, and the signature by which a receiver knows that it was us.

The signature is that of the Standard Webhooks specification (HMAC-SHA256 over `id.timestamp.body`), for which receivers have
libraries. The postman of the housekeeping process sends; this module opens no connection.
"""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.jobs import JobRepository
from app.catalog.tables import WebhookDeliveryRow, WebhookRow
from app.catalog.webhooks import WebhookRepository
from app.errors import Conflict, Unprocessable
from app.formats.bodies import job_body, time_text
from app.imaging.addresses import parse_url
from app.imaging.errors import FetchRefused
from app.imaging.fetch import FetchPolicy

SIGNING_PREFIX = "whsec_"
EVENTS = ("job.succeeded", "job.failed", "job.cancelled")
TEST_EVENT = "webhook.test"
MOST = 50


class BadWebhook(Unprocessable):
    """The webhook's address is not allowed"""

    code = "webhook.url_refused"


def add(
    session: Session, policy: FetchPolicy, *, url: str, events: list[str], kinds: list[str] | None
) -> tuple[WebhookRow, str]:
    """Subscribe; the secret is returned this once. Raises BadWebhook, or Conflict where a tenant has 50 already."""
    _check(url, policy)
    webhooks = WebhookRepository(session)
    if webhooks.count() >= MOST:
        raise Conflict(f"There are {MOST} webhooks already; delete one, or narrow another.")
    secret = SIGNING_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    return webhooks.add(WebhookRow(url=url, events=events, kinds=kinds, secret=secret)), secret


def change(session: Session, policy: FetchPolicy, webhook_id: UUID, changes: dict[str, Any]) -> WebhookRow:
    """Change a subscription; raises NotFound or BadWebhook."""
    if "url" in changes:
        _check(changes["url"], policy)
    return WebhookRepository(session).change(webhook_id, changes)


def _check(url: str, policy: FetchPolicy) -> None:
    # The form only. What the name resolves to is checked at every delivery, for it may change.
    try:
        parse_url(url, policy.ports)
    except FetchRefused:
        raise BadWebhook(
            "Only http and https URLs on the ports of MARKWISE_FETCH_PORTS and without credentials are called."
        ) from None


def payload(session: Session, row: WebhookDeliveryRow) -> bytes:
    """What is posted: the event, when it happened, and the job as `GET /v1/jobs/{id}` shows it now."""
    about: Any = {"webhook_id": str(row.webhook_id)}
    if row.job_id is not None:
        about = job_body(JobRepository(session).get(row.job_id))
    body = {"id": str(row.id), "type": row.event, "created_at": time_text(row.created_at), "data": about}
    return json.dumps(body, ensure_ascii=False).encode()


def signed_headers(secret: str, message_id: str, timestamp_s: int, body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers of a delivery; the receiver computes the same signature from the secret and the raw body."""
    return [
        (b"Content-Type", b"application/json"),
        (b"User-Agent", b"Markwise webhooks"),
        (b"Connection", b"close"),
        (b"webhook-id", message_id.encode()),
        (b"webhook-timestamp", str(timestamp_s).encode()),
        (b"webhook-signature", signature(secret, message_id, timestamp_s, body).encode()),
    ]


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return `v1,` and the base64 of the HMAC-SHA256."""
    key = base64.b64decode(secret.removeprefix(SIGNING_PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
