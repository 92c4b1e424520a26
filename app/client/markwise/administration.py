"""The calls of whoever runs a tenant: keys and what may be stored through them, webhooks and their log, who did what."""

from collections.abc import Sequence
from typing import Any

from markwise.call import Call, Listed, given, id_of, nothing, reader
from markwise.types import AuditEntry, Delivery, Key, Page, Storage, Webhook


def create_key(
    name: str,
    *,
    scopes: Sequence[str] | None = None,
    expires_in_s: int | None = None,
    max_images: int | None = None,
    max_bytes: int | None = None,
) -> Call[Key]:
    """Make an API key, if wanted with limits on what is stored through it; its secret is shown this once."""
    limits = given(expires_in_s=expires_in_s, max_images=max_images, max_bytes=max_bytes)
    body = {"name": name} | given(scopes=None if scopes is None else list(scopes)) | limits
    return Call(method="POST", path="/v1/keys", body=body, read=reader(Key))


def limit_key(key: Key | str, *, max_images: int | None = None, max_bytes: int | None = None) -> Call[Key]:
    """Set how much may be stored through a key; None is no limit."""
    body = {"max_images": max_images, "max_bytes": max_bytes}
    return Call(method="PATCH", path=f"/v1/keys/{id_of(key)}", body=body, read=reader(Key))


def storage() -> Call[Storage]:
    """What is stored under all keys of the tenant, and how much may be."""
    return Call(method="GET", path="/v1/storage", read=reader(Storage))


def keys() -> Listed[Key]:
    """All keys, newest first, without their secrets."""
    return Listed(path="/v1/keys", read=reader(Page[Key]))


def revoke_key(key: Key | str) -> Call[Key]:
    """Switch a key off for good."""
    return Call(method="DELETE", path=f"/v1/keys/{id_of(key)}", read=reader(Key))


def create_webhook(
    url: str, *, events: Sequence[str] | None = None, kinds: Sequence[str] | None = None
) -> Call[Webhook]:
    """Have the ends of jobs posted to a URL; the secret that signs them is shown this once."""
    which = given(events=None if events is None else list(events), kinds=None if kinds is None else list(kinds))
    return Call(method="POST", path="/v1/webhooks", body={"url": url} | which, read=reader(Webhook))


def webhook(webhook_id: str) -> Call[Webhook]:
    """Return one webhook."""
    return Call(method="GET", path=f"/v1/webhooks/{webhook_id}", read=reader(Webhook))


def change_webhook(webhook: Webhook | str, **changes: Any) -> Call[Webhook]:
    """Change `url`, `events` or `kinds` (None for all), or switch it off with `active=False`; what is left out stays."""
    return Call(method="PATCH", path=f"/v1/webhooks/{id_of(webhook)}", body=changes, read=reader(Webhook))


def webhooks() -> Listed[Webhook]:
    """All webhooks, newest first."""
    return Listed(path="/v1/webhooks", read=reader(Page[Webhook]))


def delete_webhook(webhook: Webhook | str) -> Call[None]:
    """Forget a webhook and its log."""
    return Call(method="DELETE", path=f"/v1/webhooks/{id_of(webhook)}", read=nothing)


def try_webhook(webhook: Webhook | str) -> Call[Delivery]:
    """Send an event `webhook.test`; `deliveries` say what the receiver answered."""
    return Call(method="POST", path=f"/v1/webhooks/{id_of(webhook)}/test", read=reader(Delivery))


def deliveries(webhook: Webhook | str) -> Listed[Delivery]:
    """What was sent to a webhook or waits to be, newest first."""
    return Listed(path=f"/v1/webhooks/{id_of(webhook)}/deliveries", read=reader(Page[Delivery]))


def retry_delivery(delivery: Delivery) -> Call[Delivery]:
    """Send one again now, also one that was delivered: receivers know it by its id."""
    path = f"/v1/webhooks/{delivery.webhook_id}/deliveries/{delivery.id}/retry"
    return Call(method="POST", path=path, read=reader(Delivery))


def audit(*, action: str | None = None) -> Listed[AuditEntry]:
    """Who did what, newest first, or only acts of one kind, such as `key.created`."""
    return Listed(path="/v1/audit", read=reader(Page[AuditEntry]), params=given(action=action))
