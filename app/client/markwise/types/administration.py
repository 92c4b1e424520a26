"""Keys, what is stored through them, webhooks, and who did what."""

from typing import Any

from markwise.types.body import Body


class Storage(Body):
    """What is stored, and how much may be; None is no limit."""

    images: int
    bytes: int
    max_images: int | None
    max_bytes: int | None


class Key(Body):
    """An API key; `key` itself is there only when it was just made. `storage`: what it let in that is still there."""

    id: str
    object: str
    name: str
    prefix: str
    scopes: list[str]
    expires_at: str | None
    revoked_at: str | None
    created_at: str
    storage: Storage
    key: str | None = None


class Webhook(Body):
    """A subscription; `secret` is there only when it was just made."""

    id: str
    object: str
    url: str
    events: list[str]
    kinds: list[str] | None
    active: bool
    created_at: str
    secret: str | None = None


class Delivery(Body):
    """One entry of a webhook's log; `due_at` says when a queued one is tried next."""

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


class AuditEntry(Body):
    """One act; `actor` is a key by its name, `command line`, or `local` where no key is needed."""

    id: str
    object: str
    action: str
    subject: str
    actor: str
    key_id: str | None
    request_id: str | None
    detail: dict[str, Any]
    created_at: str
