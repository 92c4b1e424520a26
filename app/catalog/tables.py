"""Every table in dependency order: the schema on one page.

Migrations build it, repositories read and write it; no other module defines a column. Rules that must hold are
constraints here. Tenant tables carry `tenant_id` and point at each other through `(tenant_id, id)`, so that a child
can never belong to a parent of another tenant; row-level security is switched on by the migration.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.declaring import Base, TenantRow, one_of, owned, same_tenant

JOB_STATUSES = ("queued", "running", "succeeded", "failed", "cancelling", "cancelled")
ITEM_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
TEXT_KINDS = ("listing", "conversation", "reasoning", "referring", "description", "concept_document")
REVIEW_STATES = ("unreviewed", "accepted", "edited", "rejected")
REVIEW_REASONS = ("source_error", "imprecise", "wrong")
DELIVERY_STATUSES = ("queued", "delivered", "failed")


class TenantTableRow(Base):
    """Who owns rows. The embedded stack has one, called local."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


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


class ImageRow(TenantRow):
    """One immutable image, found again by the sha256 of the bytes received."""

    __tablename__ = "images"
    __table_args__ = owned(
        UniqueConstraint("tenant_id", "sha256"),
        CheckConstraint("width > 0 AND height > 0", name="has_area"),
        Index("ix_images_labels", "labels", postgresql_using="gin"),
    )

    sha256: Mapped[str]
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    orientation: Mapped[int] = mapped_column(server_default=text("1"))
    labels: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    source: Mapped[str]
    blob_key: Mapped[str]


class ImageFactsRow(TenantRow):
    """What one source says about one image, as `models.facts` writes it; `external_id` is the source's own name of it."""

    __tablename__ = "image_facts"
    __table_args__ = owned(
        same_tenant("image_id", "images"),
        UniqueConstraint("tenant_id", "source", "external_id"),
        Index(None, "tenant_id", "image_id"),
    )

    image_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]
    facts: Mapped[dict[str, Any]]


class MarkSetRow(TenantRow):
    """An immutable set of marks on one image; `settings_sha256` makes the same request find it again."""

    __tablename__ = "mark_sets"
    __table_args__ = owned(
        same_tenant("image_id", "images"),
        same_tenant("revision_of_id", "mark_sets"),
        UniqueConstraint("tenant_id", "image_id", "settings_sha256"),
        Index(None, "tenant_id", "image_id"),
        Index("ix_mark_sets_revision_of_id", "revision_of_id", postgresql_where=text("revision_of_id IS NOT NULL")),
    )

    image_id: Mapped[UUID]
    revision_of_id: Mapped[UUID | None]
    segmenter_name: Mapped[str]
    segmenter_version: Mapped[str]
    granularity: Mapped[int | None]
    style: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]]
    settings_sha256: Mapped[str]
    omitted_regions: Mapped[int]
    overlay_blob_key: Mapped[str]
    lookalikes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


class MarkRow(Base):
    """One mark: a label tied to one region. Geometry is in pixels of the displayed image."""

    __tablename__ = "marks"
    __table_args__ = (
        same_tenant("mark_set_id", "mark_sets"),
        UniqueConstraint("mark_set_id", "position"),
    )

    mark_set_id: Mapped[UUID] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    position: Mapped[int]
    region_id: Mapped[str]
    bbox_xyxy_px: Mapped[list[Any]]
    point_xy_px: Mapped[list[Any]]
    occluded: Mapped[bool] = mapped_column(Boolean)
    label_xy_px: Mapped[list[Any]]
    label_bbox_xyxy_px: Mapped[list[Any]]
    leader: Mapped[list[Any] | None]
    area_px: Mapped[int]
    score: Mapped[float] = mapped_column(Float)
    text: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str | None]
    rle: Mapped[dict[str, Any]]


class ModelVersionRow(TenantRow):
    """A registered checkpoint or adapter. `blob_prefix` names its files; a built-in version has none."""

    __tablename__ = "model_versions"
    __table_args__ = owned(
        same_tenant("base_id", "model_versions", ondelete="RESTRICT"),
        same_tenant("job_id", "jobs", ondelete="RESTRICT"),
        UniqueConstraint("tenant_id", "name", "version"),
        CheckConstraint(one_of("kind", ("checkpoint", "adapter")), name="known_kind"),
    )

    name: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    base_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    blob_prefix: Mapped[str | None]
    recipe: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    origin: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class DeploymentRow(TenantRow):
    """An entry of the deployment log: the newest one of a tenant says which version answers."""

    __tablename__ = "deployments"
    __table_args__ = owned(same_tenant("model_version_id", "model_versions"))

    model_version_id: Mapped[UUID | None]


class AnswerRow(TenantRow):
    """What a model said to one query; `body` is the answer exactly as the contract shows it."""

    __tablename__ = "answers"
    __table_args__ = owned(
        same_tenant("image_id", "images"),
        same_tenant("mark_set_id", "mark_sets"),
        same_tenant("model_version_id", "model_versions", ondelete="RESTRICT"),
        Index(None, "tenant_id", "mark_set_id"),
    )

    image_id: Mapped[UUID]
    mark_set_id: Mapped[UUID | None]
    model_version_id: Mapped[UUID | None]
    task: Mapped[str]
    query: Mapped[str] = mapped_column(Text)
    model_name: Mapped[str]
    body: Mapped[dict[str, Any]]


class TextRow(TenantRow):
    """Generated training text with its provenance and its review."""

    __tablename__ = "texts"
    __table_args__ = owned(
        same_tenant("image_id", "images"),
        same_tenant("mark_set_id", "mark_sets"),
        same_tenant("job_id", "jobs", ondelete="RESTRICT"),
        UniqueConstraint("tenant_id", "job_id", "job_item", "ordinal"),
        Index(None, "tenant_id", "image_id"),
        Index(None, "tenant_id", "mark_set_id", postgresql_where=text("mark_set_id IS NOT NULL")),
        CheckConstraint(one_of("kind", TEXT_KINDS), name="known_kind"),
        CheckConstraint(one_of("review", REVIEW_STATES), name="known_review"),
    )

    image_id: Mapped[UUID]
    mark_set_id: Mapped[UUID | None]
    job_id: Mapped[UUID]
    job_item: Mapped[int]
    ordinal: Mapped[int]
    kind: Mapped[str]
    tagged: Mapped[bool] = mapped_column(Boolean)
    conversations: Mapped[list[Any]]
    provenance: Mapped[dict[str, Any]]
    review: Mapped[str] = mapped_column(server_default=text("'unreviewed'"))
    reviewed_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(server_default=text("0"))


class TextRevisionRow(Base):
    """The history of a text that people looked at: revision 0 as it was written, then one per verdict. Append-only."""

    __tablename__ = "text_revisions"
    __table_args__ = (
        same_tenant("text_id", "texts"),
        CheckConstraint(one_of("review", REVIEW_STATES), name="known_review"),
        CheckConstraint(f"reason IS NULL OR {one_of('reason', REVIEW_REASONS)}", name="known_reason"),
    )

    text_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    review: Mapped[str]
    reason: Mapped[str | None]
    conversations: Mapped[list[Any]]
    reviewer: Mapped[str | None]
    key_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class DatasetRow(TenantRow):
    """A versioned mixture of texts. Written by a job, then sealed: it gets version and hash, and nothing changes it again.

    Triggers of the migration refuse every change of a sealed dataset and of its items. What is not sealed is nobody's to see.
    """

    __tablename__ = "datasets"
    __table_args__ = owned(
        same_tenant("job_id", "jobs"),
        UniqueConstraint("tenant_id", "name", "version"),
        CheckConstraint(
            "(sealed_at IS NULL) = (version IS NULL) AND (sealed_at IS NULL) = (content_sha256 IS NULL)",
            name="sealed_is_whole",
        ),
        Index("ix_datasets_unsealed", "job_id", postgresql_where=text("sealed_at IS NULL")),
    )

    name: Mapped[str]
    version: Mapped[int | None]
    recipe: Mapped[dict[str, Any]]
    statistics: Mapped[dict[str, Any]]
    content_sha256: Mapped[str | None]
    job_id: Mapped[UUID | None]
    sealed_at: Mapped[datetime | None]


class DatasetItemRow(Base):
    """One sample of a dataset at its place, with the words that it had when the dataset was made.

    `text_id` and `revision` name the text of the catalog, NULL for a record of a file. Its row keeps image and mark set from
    being deleted, so `image_id` and `mark_set_id` (set where the picture is the marked one) need no key of their own.
    """

    __tablename__ = "dataset_items"
    __table_args__ = (
        same_tenant("dataset_id", "datasets"),
        same_tenant("text_id", "texts", ondelete="RESTRICT"),
        Index("ix_dataset_items_text_id", "text_id", postgresql_where=text("text_id IS NOT NULL")),
    )

    dataset_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    text_id: Mapped[UUID | None]
    revision: Mapped[int | None]
    sample_id: Mapped[str]
    image: Mapped[str | None]
    image_id: Mapped[UUID | None]
    mark_set_id: Mapped[UUID | None]
    kind: Mapped[str]
    review: Mapped[str | None]
    part: Mapped[str]
    stage: Mapped[str]
    conversations: Mapped[list[Any]]


class EvaluationRow(TenantRow):
    """The measurement of one model version by one benchmark in one way; `cell` is its number among those of its order.

    Written when its first answer is due; what has no `finished_at` is still being measured and nobody's to see.
    """

    __tablename__ = "evaluations"
    __table_args__ = owned(
        same_tenant("model_version_id", "model_versions", ondelete="RESTRICT"),
        same_tenant("dataset_id", "datasets", ondelete="RESTRICT"),
        same_tenant("job_id", "jobs", ondelete="RESTRICT"),
        UniqueConstraint("tenant_id", "job_id", "cell"),
    )

    job_id: Mapped[UUID | None]
    cell: Mapped[int] = mapped_column(server_default=text("0"))
    model_version_id: Mapped[UUID | None]
    dataset_id: Mapped[UUID | None]
    benchmark: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    metrics: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    finished_at: Mapped[datetime | None] = mapped_column(server_default=func.clock_timestamp())


class EvaluationItemRow(Base):
    """One question of an evaluation: the answer, or why there is none, and how good it is by itself (0-1).

    `picture` is what the model was shown, small, kept for the worst answers only (WebP).
    """

    __tablename__ = "evaluation_items"
    __table_args__ = (
        same_tenant("evaluation_id", "evaluations"),
        CheckConstraint("answer IS NULL OR error IS NULL", name="answered_or_not"),
    )

    evaluation_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    question_id: Mapped[str]
    answer: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    grade: Mapped[float | None] = mapped_column(Float)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary)


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


class WorkerProcessRow(Base):
    """A running worker process and the queues it serves; readiness is read from `last_seen_at`. Not tenant data."""

    __tablename__ = "worker_processes"

    name: Mapped[str] = mapped_column(primary_key=True)
    queues: Mapped[list[str]]
    started_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


TENANT_TABLES: tuple[str, ...] = tuple(
    table.name for table in Base.metadata.sorted_tables if "tenant_id" in table.columns
)
