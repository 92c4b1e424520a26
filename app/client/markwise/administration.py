"""The calls of whoever runs a tenant: keys and what may be stored through them, webhooks. Described as in `calls`, sent by the clients."""

from collections.abc import Sequence

from markwise.calls import Call, Listed, _given, _id_of, _nothing, reader
from markwise.types import Key, Page, Storage, Webhook


def create_key(
    name: str,
    *,
    scopes: Sequence[str] | None = None,
    expires_in_s: int | None = None,
    max_images: int | None = None,
    max_bytes: int | None = None,
) -> Call[Key]:
    """Make an API key, if wanted with limits on what is stored through it; its secret is shown this once."""
    limits = _given(expires_in_s=expires_in_s, max_images=max_images, max_bytes=max_bytes)
    body = {"name": name} | _given(scopes=None if scopes is None else list(scopes)) | limits
    return Call(method="POST", path="/v1/keys", body=body, read=reader(Key))


def limit_key(key: Key | str, *, max_images: int | None = None, max_bytes: int | None = None) -> Call[Key]:
    """Set how much may be stored through a key; None is no limit."""
    body = {"max_images": max_images, "max_bytes": max_bytes}
    return Call(method="PATCH", path=f"/v1/keys/{_id_of(key)}", body=body, read=reader(Key))


def storage() -> Call[Storage]:
    """What is stored under all keys of the tenant, and how much may be."""
    return Call(method="GET", path="/v1/storage", read=reader(Storage))


def keys() -> Listed[Key]:
    """All keys, newest first, without their secrets."""
    return Listed(path="/v1/keys", read=reader(Page[Key]))


def revoke_key(key: Key | str) -> Call[Key]:
    """Switch a key off for good."""
    return Call(method="DELETE", path=f"/v1/keys/{_id_of(key)}", read=reader(Key))


def create_webhook(
    url: str, *, events: Sequence[str] | None = None, kinds: Sequence[str] | None = None
) -> Call[Webhook]:
    """Have the ends of jobs posted to a URL; the secret that signs them is shown this once."""
    given = _given(events=None if events is None else list(events), kinds=None if kinds is None else list(kinds))
    return Call(method="POST", path="/v1/webhooks", body={"url": url} | given, read=reader(Webhook))


def webhooks() -> Listed[Webhook]:
    """All webhooks, newest first."""
    return Listed(path="/v1/webhooks", read=reader(Page[Webhook]))


def delete_webhook(webhook: Webhook | str) -> Call[None]:
    """Forget a webhook and its log."""
    return Call(method="DELETE", path=f"/v1/webhooks/{_id_of(webhook)}", read=_nothing)
