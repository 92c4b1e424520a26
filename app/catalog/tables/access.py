"""Who may call and what is remembered of calls: tenants, keys, the audit log, seen POSTs, webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.declaring import Base, TenantRow, one_of, owned, same_tenant

DELIVERY_STATUSES = ("queued", "delivered", "failed")


class TenantTableRow(Base):
    """Who owns rows. The embedded stack has one, called local. `emptied_since` is set while an operator deletes all that it has."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    emptied_since: Mapped[datetime | None]


class KeyRow(TenantRow):
    """An API key: only its hash is kept; the prefix is shown so that people can tell keys apart."""

    __tablename__ = "keys"
    __table_args__ = owned(UniqueConstraint("key_sha256"))

    name: Mapped[str]
    prefix: Mapped[str]
    key_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class StorageUseRow(Base):
    """What is stored, and how much may be: by a tenant in all (`owner` is its id) or through one key (`owner` is the key's).

    Triggers of migration 0015 count. A key without images and limits has no row.
    """

    __tablename__ = "storage_use"
    __table_args__ = (CheckConstraint("max_images >= 0 AND max_bytes >= 0", name="limits_are_sizes"),)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"),
        primary_key=True,
        server_default=text("current_setting('app.tenant', true)::uuid"),
    )
    owner: Mapped[UUID] = mapped_column(primary_key=True)
    images: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    max_images: Mapped[int | None] = mapped_column(BigInteger)
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)


class AuditEntryRow(TenantRow):
    """One act upon keys, deployments or webhooks. Append-only; outlives the key that did it, so it points at nothing."""

    __tablename__ = "audit_entries"
    __table_args__ = owned()

    action: Mapped[str]
    subject: Mapped[str]
    actor: Mapped[str]
    key_id: Mapped[UUID | None]
    request_id: Mapped[str | None]
    detail: Mapped[dict[str, Any]]


class IdempotencyRow(Base):
    """A POST seen before: the same key and body replays the stored response."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (CheckConstraint("(status IS NULL) = (body IS NULL)", name="whole_response_or_none"),)

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"),
        primary_key=True,
        server_default=text("current_setting('app.tenant', true)::uuid"),
    )
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    locked_until: Mapped[datetime]
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WebhookRow(TenantRow):
    """A subscription: which events of which tenant are posted where. `kinds` narrows it to some kinds of jobs; NULL is all."""

    __tablename__ = "webhooks"
    __table_args__ = owned()

    url: Mapped[str]
    events: Mapped[list[str]]
    kinds: Mapped[list[str] | None]
    secret: Mapped[str]
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))


class WebhookDeliveryRow(TenantRow):
    """One event for one subscriber, and how far its delivery got; `due_at` is when it is tried next. A test has no job."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = owned(
        same_tenant("webhook_id", "webhooks"),
        same_tenant("job_id", "jobs"),
        CheckConstraint(one_of("status", DELIVERY_STATUSES), name="known_status"),
        CheckConstraint("(status = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_has_time"),
        Index("ix_webhook_deliveries_due", "due_at", postgresql_where=text("status = 'queued'")),
        Index(None, "tenant_id", "webhook_id", "created_at", "id"),
        Index(None, "tenant_id", "job_id", postgresql_where=text("job_id IS NOT NULL")),
    )

    webhook_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    event: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    response_status: Mapped[int | None]
    error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
