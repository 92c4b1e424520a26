"""/v1/webhooks: where the ends of jobs are posted, the log of deliveries, trying one again."""

from uuid import UUID

from fastapi import APIRouter, Response

from app.catalog.webhooks import WebhookRepository
from app.formats.webhook_bodies import DeliveryBody, WebhookBody, delivery_body, webhook_body
from app.http.auditing import Log
from app.http.deps import AdminCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.schemas.webhooks import WebhookChangesIn, WebhookIn
from app.services import webhooks

router = APIRouter(tags=["webhooks"])


@router.post("/v1/webhooks", status_code=201)
def create_webhook(web: WebPart, tx: Tx, _: AdminCaller, log: Log, body: WebhookIn) -> WebhookBody:
    """Have the ends of jobs posted to a URL, signed as Standard Webhooks says. The secret is shown this once."""
    row, secret = webhooks.add(tx, web.fetch_policy, **body.model_dump())
    log("webhook.created", row.id, url=row.url)
    return {**webhook_body(row), "secret": secret}


@router.get("/v1/webhooks")
def list_webhooks(tx: Tx, _: AdminCaller, page: PageOf) -> ListBody[WebhookBody]:
    """List webhooks, newest first."""
    return list_body(WebhookRepository(tx).list_after(limit=page.limit, after=page.after), webhook_body)


@router.get("/v1/webhooks/{webhook_id}")
def get_webhook(tx: Tx, _: AdminCaller, webhook_id: UUID) -> WebhookBody:
    """Show one webhook."""
    return webhook_body(WebhookRepository(tx).get(webhook_id))


@router.patch("/v1/webhooks/{webhook_id}")
def change_webhook(
    web: WebPart, tx: Tx, _: AdminCaller, log: Log, webhook_id: UUID, body: WebhookChangesIn
) -> WebhookBody:
    """Change address, events or kinds, or switch it off (`active: false`); what is queued then fails with that reason."""
    given = {name: value for name, value in body.model_dump(exclude_unset=True).items() if _settable(name, value)}
    row = webhooks.change(tx, web.fetch_policy, webhook_id, given)
    log("webhook.changed", row.id, **given)
    return webhook_body(row)


def _settable(name: str, value: object) -> bool:
    """Null means all kinds for `kinds`, and nothing for the rest."""
    return name == "kinds" or value is not None


@router.delete("/v1/webhooks/{webhook_id}", status_code=204)
def delete_webhook(tx: Tx, _: AdminCaller, log: Log, webhook_id: UUID) -> Response:
    """Forget a webhook and its log."""
    WebhookRepository(tx).delete(webhook_id)
    log("webhook.deleted", webhook_id)
    return Response(status_code=204)


@router.post("/v1/webhooks/{webhook_id}/test", status_code=202)
def try_webhook(tx: Tx, _: AdminCaller, webhook_id: UUID) -> DeliveryBody:
    """Send an event `webhook.test`; look in the log for what the receiver answered."""
    row = WebhookRepository(tx).get(webhook_id)
    return delivery_body(WebhookRepository(tx).add_delivery(row.id, webhooks.TEST_EVENT))


@router.get("/v1/webhooks/{webhook_id}/deliveries")
def list_deliveries(tx: Tx, _: AdminCaller, page: PageOf, webhook_id: UUID) -> ListBody[DeliveryBody]:
    """List what was sent or waits to be, newest first."""
    rows = WebhookRepository(tx).deliveries_after(webhook_id, limit=page.limit, after=page.after)
    return list_body(rows, delivery_body)


@router.post("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry", status_code=202)
def retry_delivery(tx: Tx, _: AdminCaller, webhook_id: UUID, delivery_id: UUID) -> DeliveryBody:
    """Send one again now, also one that was delivered: receivers know it by its id."""
    deliveries = WebhookRepository(tx)
    return delivery_body(deliveries.send_again(deliveries.delivery(delivery_id, webhook_id)))
