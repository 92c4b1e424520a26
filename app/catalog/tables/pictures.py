"""Images, what files say about them, their marks, and the answers about these."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.catalog.declaring import Base, TenantRow, owned, same_tenant


class ImageRow(TenantRow):
    """One immutable image, found again by the sha256 of the bytes received.

    `bytes` were received, `stored_bytes` has our copy of it (unknown of images older than the column); `key_id` is the key that
    let it in and is charged for it.
    """

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
    stored_bytes: Mapped[int | None] = mapped_column(BigInteger)
    key_id: Mapped[UUID | None]


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
    overlay_bytes: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    lookalikes: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))


class MarkRow(Base):
    """One mark: a label tied to one region. Geometry is in pixels of the displayed image."""

    __tablename__ = "marks"
    __table_args__ = (
        same_tenant("mark_set_id", "mark_sets"),
        UniqueConstraint("mark_set_id", "position"),
        Index(
            "ix_marks_words",
            text("words_of_mark(text)"),
            postgresql_using="gin",
            postgresql_where=text("text IS NOT NULL"),
        ),
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


class AnswerRow(TenantRow):
    """What a model said to one query; `body` is the answer exactly as the contract shows it."""

    __tablename__ = "answers"
    __table_args__ = owned(
        same_tenant("image_id", "images"),
        same_tenant("mark_set_id", "mark_sets"),
        same_tenant("model_version_id", "model_versions", ondelete="RESTRICT"),
        Index(None, "tenant_id", "mark_set_id"),
        Index(None, "tenant_id", "image_id"),
        Index("ix_answers_words", text("words_of_answer(query, body)"), postgresql_using="gin"),
    )

    image_id: Mapped[UUID]
    mark_set_id: Mapped[UUID | None]
    model_version_id: Mapped[UUID | None]
    task: Mapped[str]
    query: Mapped[str] = mapped_column(Text)
    model_name: Mapped[str]
    body: Mapped[dict[str, Any]]
