"""What models are taught with and what came of it: texts, datasets, versions, deployments, evaluations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.declaring import Base, TenantRow, one_of, owned, same_tenant

TEXT_KINDS = ("listing", "conversation", "reasoning", "referring", "description", "concept_document")
MODEL_KINDS = ("checkpoint", "adapter", "finder")
REVIEW_STATES = ("unreviewed", "accepted", "edited", "rejected")
REVIEW_REASONS = ("source_error", "imprecise", "wrong")


class ModelVersionRow(TenantRow):
    """A registered checkpoint, adapter or finder. `blob_prefix` names its files; a built-in version has none."""

    __tablename__ = "model_versions"
    __table_args__ = owned(
        same_tenant("base_id", "model_versions", ondelete="RESTRICT"),
        same_tenant("job_id", "jobs", ondelete="RESTRICT"),
        UniqueConstraint("tenant_id", "name", "version"),
        CheckConstraint(one_of("kind", MODEL_KINDS), name="known_kind"),
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
        Index("ix_texts_words", text("words_of_text(conversations)"), postgresql_using="gin"),
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


class LedgerEntryRow(Base):
    """What one worker of an annotation order found out and the others need not pay for again, under the hash of its name."""

    __tablename__ = "ledger_entries"
    __table_args__ = (same_tenant("job_id", "jobs"),)

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_sha256: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    found: Mapped[dict[str, Any]]


class CandidateRow(Base):
    """How surely (0-1) marks are painted on an image as one run of a finder saw it, and the patch that speaks most for it."""

    __tablename__ = "candidates"
    __table_args__ = (
        same_tenant("job_id", "jobs", ondelete="RESTRICT"),
        same_tenant("image_id", "images"),
        Index(None, "job_id", "score", "image_id"),
        Index(None, "tenant_id", "image_id"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score_is_a_share"),
    )

    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    image_id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(server_default=text("current_setting('app.tenant', true)::uuid"))
    score: Mapped[float] = mapped_column(Float)
    bbox_xyxy_px: Mapped[list[Any]]
