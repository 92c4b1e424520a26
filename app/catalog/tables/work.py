"""Durable work: jobs, their items and events, hints still to be sent, and who does it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.declaring import Base, TenantRow, one_of, owned, same_tenant

JOB_STATUSES = ("queued", "running", "succeeded", "failed", "cancelling", "cancelled")
ITEM_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


class JobRow(TenantRow):
    """Durable work: this row is the job, a queue message only hints at it.

    `attempt` fences: an effect commits only while the attempt it was computed under is still the current one.
    """

    __tablename__ = "jobs"
    __table_args__ = owned(
        UniqueConstraint("tenant_id", "idempotency_key"),
        CheckConstraint(one_of("status", JOB_STATUSES), name="known_status"),
        CheckConstraint(one_of("queue", ("interactive", "batch", "train")), name="known_queue"),
        CheckConstraint(
            "(status IN ('running', 'cancelling')) = (lease_until IS NOT NULL)", name="leased_exactly_while_running"
        ),
        CheckConstraint(
            "(status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished_has_time"
        ),
        Index("ix_jobs_due", "queue", "run_at", postgresql_where=text("status = 'queued'")),
        Index("ix_jobs_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    )

    kind: Mapped[str]
    queue: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    payload: Mapped[dict[str, Any]]
    idempotency_key: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(server_default=text("3"))
    run_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    progress_done: Mapped[int] = mapped_column(server_default=text("0"))
    progress_total: Mapped[int] = mapped_column(server_default=text("0"))
    progress_failed: Mapped[int] = mapped_column(server_default=text("0"))
    progress_stage: Mapped[str | None]
    usage: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    trace: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    error: Mapped[dict[str, Any] | None]
    result: Mapped[dict[str, Any] | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    hinted_at: Mapped[datetime | None]


class JobItemRow(Base):
    """One unit of a batch job, so that cancel, resume and retry lose nothing.

    Where several workers share a job, `holder_id` and `holder_attempt` say whose claim a running item is part of.
    """

    __tablename__ = "job_items"
    __table_args__ = (
        same_tenant("job_id", "jobs"),
        CheckConstraint(one_of("status", ITEM_STATUSES), name="known_status"),
        Index(None, "job_id", "status", "item"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    status: Mapped[str] = mapped_column(server_default=text("'queued'"))
    attempt: Mapped[int] = mapped_column(server_default=text("0"))
    payload: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    finished_at: Mapped[datetime | None]
    holder_id: Mapped[UUID | None]
    holder_attempt: Mapped[int | None]


class JobEventRow(Base):
    """Append-only history of a job; SSE replays it after an id."""

    __tablename__ = "job_events"
    __table_args__ = (
        same_tenant("job_id", "jobs"),
        CheckConstraint(one_of("type", ("progress", "log", "metric", "completed")), name="known_type"),
        Index(None, "job_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[UUID]
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    type: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class OutboxRow(Base):
    """A hint still to be sent; written in the transaction that queued the job, deleted once the broker has it."""

    __tablename__ = "outbox"
    __table_args__ = (same_tenant("job_id", "jobs"), Index(None, "job_id"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    job_id: Mapped[UUID]
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    queue: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class WorkerProcessRow(Base):
    """A running worker process, the queues it serves and the GPUs it uses (`workers.gpus`); readiness is read from `last_seen_at`.

    Not tenant data.
    """

    __tablename__ = "worker_processes"

    name: Mapped[str] = mapped_column(primary_key=True)
    queues: Mapped[list[str]]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    gpus: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
