"""Create every table of the first release; access to them follows in 0002.

Revision 0001. Written out, not taken from the tables: a migration must not change when the tables do.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TENANT = sa.text("current_setting('app.tenant', true)::uuid")


def _id() -> "sa.Column[object]":
    return sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False)


def _serial() -> "sa.Column[object]":
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def _tenant_id() -> "sa.Column[object]":
    return sa.Column("tenant_id", sa.UUID(), server_default=_TENANT, nullable=False)


def _time(name: str) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False)


def _of_tenant(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_tenant_id_tenants")
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=name, ondelete="CASCADE")


def _same_tenant(table: str, column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_tenant_id_{column}_{target}")
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], name=name, ondelete=ondelete
    )


def upgrade() -> None:
    op.create_table(
        "tenants",
        _id(),
        sa.Column("name", sa.String(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    op.create_table(
        "worker_processes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("queues", ARRAY(sa.String()), nullable=False),
        _time("started_at"),
        _time("last_seen_at"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_processes")),
    )
    op.create_table(
        "datasets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recipe", JSONB(), nullable=False),
        sa.Column("statistics", JSONB(), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _of_tenant("datasets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_datasets_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", "version", name=op.f("uq_datasets_tenant_id_name_version")),
    )
    op.create_index(op.f("ix_datasets_tenant_id_created_at_id"), "datasets", ["tenant_id", "created_at", "id"])
    op.create_table(
        "idempotency_keys",
        _tenant_id(),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        _time("created_at"),
        sa.CheckConstraint(
            "(status IS NULL) = (body IS NULL)", name=op.f("ck_idempotency_keys_whole_response_or_none")
        ),
        _of_tenant("idempotency_keys"),
        sa.PrimaryKeyConstraint("tenant_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "images",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("orientation", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("labels", ARRAY(sa.String()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("blob_key", sa.String(), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_images_has_area")),
        _of_tenant("images"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_images_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "sha256", name=op.f("uq_images_tenant_id_sha256")),
    )
    op.create_index("ix_images_labels", "images", ["labels"], postgresql_using="gin")
    op.create_index(op.f("ix_images_tenant_id_created_at_id"), "images", ["tenant_id", "created_at", "id"])
    op.create_table(
        "jobs",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("3"), nullable=False),
        _time("run_at"),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("progress_done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress_total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress_failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("progress_stage", sa.String(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("result", JSONB(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hinted_at", sa.DateTime(timezone=True), nullable=True),
        _id(),
        _tenant_id(),
        _time("created_at"),
        sa.CheckConstraint(
            "(status IN ('running', 'cancelling')) = (lease_until IS NOT NULL)",
            name=op.f("ck_jobs_leased_exactly_while_running"),
        ),
        sa.CheckConstraint(
            "(status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished_has_time"),
        ),
        sa.CheckConstraint("queue IN ('interactive', 'batch', 'train')", name=op.f("ck_jobs_known_queue")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelling', 'cancelled')",
            name=op.f("ck_jobs_known_status"),
        ),
        _of_tenant("jobs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_jobs_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "idempotency_key", name=op.f("uq_jobs_tenant_id_idempotency_key")),
    )
    op.create_index("ix_jobs_due", "jobs", ["queue", "run_at"], postgresql_where=sa.text("status = 'queued'"))
    op.create_index("ix_jobs_leased", "jobs", ["lease_until"], postgresql_where=sa.text("lease_until IS NOT NULL"))
    op.create_index(op.f("ix_jobs_tenant_id_created_at_id"), "jobs", ["tenant_id", "created_at", "id"])
    op.create_table(
        "keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", ARRAY(sa.String()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _of_tenant("keys"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_keys_key_sha256")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_keys_tenant_id_id")),
    )
    op.create_index(op.f("ix_keys_tenant_id_created_at_id"), "keys", ["tenant_id", "created_at", "id"])
    op.create_table(
        "webhooks",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", ARRAY(sa.String()), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _of_tenant("webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_webhooks_tenant_id_id")),
    )
    op.create_index(op.f("ix_webhooks_tenant_id_created_at_id"), "webhooks", ["tenant_id", "created_at", "id"])
    op.create_table(
        "job_events",
        _serial(),
        sa.Column("job_id", sa.UUID(), nullable=False),
        _tenant_id(),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        _time("created_at"),
        sa.CheckConstraint("type IN ('progress', 'log', 'metric', 'completed')", name=op.f("ck_job_events_known_type")),
        _same_tenant("job_events", "job_id", "jobs", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
    )
    op.create_index(op.f("ix_job_events_job_id_id"), "job_events", ["job_id", "id"])
    op.create_table(
        "job_items",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        _tenant_id(),
        sa.Column("status", sa.String(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("result", JSONB(), nullable=True),
        sa.Column("error", JSONB(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')",
            name=op.f("ck_job_items_known_status"),
        ),
        _same_tenant("job_items", "job_id", "jobs", "CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "item", name=op.f("pk_job_items")),
    )
    op.create_index(op.f("ix_job_items_job_id_status"), "job_items", ["job_id", "status"])
    op.create_table(
        "mark_sets",
        sa.Column("image_id", sa.UUID(), nullable=False),
        sa.Column("revision_of_id", sa.UUID(), nullable=True),
        sa.Column("segmenter_name", sa.String(), nullable=False),
        sa.Column("segmenter_version", sa.String(), nullable=False),
        sa.Column("granularity", sa.Integer(), nullable=True),
        sa.Column("style", JSONB(), nullable=False),
        sa.Column("settings", JSONB(), nullable=False),
        sa.Column("settings_sha256", sa.String(), nullable=False),
        sa.Column("omitted_regions", sa.Integer(), nullable=False),
        sa.Column("overlay_blob_key", sa.String(), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _same_tenant("mark_sets", "image_id", "images", "CASCADE"),
        _same_tenant("mark_sets", "revision_of_id", "mark_sets", "CASCADE"),
        _of_tenant("mark_sets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_sets")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_mark_sets_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "image_id", "settings_sha256", name=op.f("uq_mark_sets_tenant_id_image_id_settings_sha256")
        ),
    )
    op.create_index(op.f("ix_mark_sets_tenant_id_created_at_id"), "mark_sets", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_mark_sets_tenant_id_image_id"), "mark_sets", ["tenant_id", "image_id"])
    op.create_table(
        "model_versions",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("base_id", sa.UUID(), nullable=True),
        sa.Column("job_id", sa.UUID(), nullable=True),
        sa.Column("blob_prefix", sa.String(), nullable=True),
        sa.Column("recipe", JSONB(), nullable=False),
        sa.Column("metrics", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        sa.CheckConstraint("kind IN ('checkpoint', 'adapter')", name=op.f("ck_model_versions_known_kind")),
        _same_tenant("model_versions", "base_id", "model_versions", "RESTRICT"),
        _same_tenant("model_versions", "job_id", "jobs", "RESTRICT"),
        _of_tenant("model_versions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_model_versions_tenant_id_id")),
        sa.UniqueConstraint("tenant_id", "name", "version", name=op.f("uq_model_versions_tenant_id_name_version")),
    )
    op.create_index(
        op.f("ix_model_versions_tenant_id_created_at_id"),
        "model_versions",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "outbox",
        _serial(),
        sa.Column("job_id", sa.UUID(), nullable=False),
        _tenant_id(),
        sa.Column("queue", sa.String(), nullable=False),
        _time("due_at"),
        _same_tenant("outbox", "job_id", "jobs", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_job_id"), "outbox", ["job_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _same_tenant("webhook_deliveries", "job_id", "jobs", "CASCADE"),
        _same_tenant("webhook_deliveries", "webhook_id", "webhooks", "CASCADE"),
        _of_tenant("webhook_deliveries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_webhook_deliveries_tenant_id_id")),
    )
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_created_at_id"),
        "webhook_deliveries",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "answers",
        sa.Column("image_id", sa.UUID(), nullable=False),
        sa.Column("mark_set_id", sa.UUID(), nullable=True),
        sa.Column("model_version_id", sa.UUID(), nullable=True),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("model_name", sa.String(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _same_tenant("answers", "image_id", "images", "CASCADE"),
        _same_tenant("answers", "mark_set_id", "mark_sets", "CASCADE"),
        _same_tenant("answers", "model_version_id", "model_versions", "RESTRICT"),
        _of_tenant("answers"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_answers_tenant_id_id")),
    )
    op.create_index(op.f("ix_answers_tenant_id_created_at_id"), "answers", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_answers_tenant_id_mark_set_id"), "answers", ["tenant_id", "mark_set_id"])
    op.create_table(
        "deployments",
        sa.Column("model_version_id", sa.UUID(), nullable=True),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _same_tenant("deployments", "model_version_id", "model_versions", "CASCADE"),
        _of_tenant("deployments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_deployments_tenant_id_id")),
    )
    op.create_index(op.f("ix_deployments_tenant_id_created_at_id"), "deployments", ["tenant_id", "created_at", "id"])
    op.create_table(
        "evaluations",
        sa.Column("job_id", sa.UUID(), nullable=True),
        sa.Column("model_version_id", sa.UUID(), nullable=True),
        sa.Column("dataset_id", sa.UUID(), nullable=True),
        sa.Column("benchmark", sa.String(), nullable=False),
        sa.Column("metrics", JSONB(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        _id(),
        _tenant_id(),
        _time("created_at"),
        _same_tenant("evaluations", "dataset_id", "datasets", "RESTRICT"),
        _same_tenant("evaluations", "job_id", "jobs", "RESTRICT"),
        _same_tenant("evaluations", "model_version_id", "model_versions", "RESTRICT"),
        _of_tenant("evaluations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_evaluations_tenant_id_id")),
    )
    op.create_index(op.f("ix_evaluations_tenant_id_created_at_id"), "evaluations", ["tenant_id", "created_at", "id"])
    op.create_table(
        "marks",
        sa.Column("mark_set_id", sa.UUID(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        _tenant_id(),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.String(), nullable=False),
        sa.Column("bbox_xyxy_px", JSONB(), nullable=False),
        sa.Column("point_xy_px", JSONB(), nullable=False),
        sa.Column("occluded", sa.Boolean(), nullable=False),
        sa.Column("label_xy_px", JSONB(), nullable=False),
        sa.Column("label_bbox_xyxy_px", JSONB(), nullable=False),
        sa.Column("leader", JSONB(), nullable=True),
        sa.Column("area_px", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("rle", JSONB(), nullable=False),
        _same_tenant("marks", "mark_set_id", "mark_sets", "CASCADE"),
        sa.PrimaryKeyConstraint("mark_set_id", "mark", name=op.f("pk_marks")),
        sa.UniqueConstraint("mark_set_id", "position", name=op.f("uq_marks_mark_set_id_position")),
    )
    op.create_table(
        "texts",
        sa.Column("image_id", sa.UUID(), nullable=False),
        sa.Column("mark_set_id", sa.UUID(), nullable=True),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("job_item", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tagged", sa.Boolean(), nullable=False),
        sa.Column("conversations", JSONB(), nullable=False),
        sa.Column("provenance", JSONB(), nullable=False),
        sa.Column("review", sa.String(), server_default=sa.text("'unreviewed'"), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        _id(),
        _tenant_id(),
        _time("created_at"),
        sa.CheckConstraint(
            "kind IN ('listing', 'conversation', 'reasoning', 'referring', 'description', 'concept_document')",
            name=op.f("ck_texts_known_kind"),
        ),
        sa.CheckConstraint(
            "review IN ('unreviewed', 'accepted', 'edited', 'rejected')", name=op.f("ck_texts_known_review")
        ),
        _same_tenant("texts", "image_id", "images", "CASCADE"),
        _same_tenant("texts", "job_id", "jobs", "RESTRICT"),
        _same_tenant("texts", "mark_set_id", "mark_sets", "CASCADE"),
        _of_tenant("texts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_texts_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "job_id", "job_item", "ordinal", name=op.f("uq_texts_tenant_id_job_id_job_item_ordinal")
        ),
    )
    op.create_index(op.f("ix_texts_tenant_id_created_at_id"), "texts", ["tenant_id", "created_at", "id"])
    op.create_table(
        "dataset_items",
        sa.Column("dataset_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        _tenant_id(),
        sa.Column("text_id", sa.UUID(), nullable=False),
        sa.Column("conversations", JSONB(), nullable=False),
        _same_tenant("dataset_items", "dataset_id", "datasets", "CASCADE"),
        _same_tenant("dataset_items", "text_id", "texts", "RESTRICT"),
        sa.PrimaryKeyConstraint("dataset_id", "position", name=op.f("pk_dataset_items")),
    )


def downgrade() -> None:
    for table in (
        "dataset_items",
        "texts",
        "marks",
        "evaluations",
        "deployments",
        "answers",
        "webhook_deliveries",
        "outbox",
        "model_versions",
        "mark_sets",
        "job_items",
        "job_events",
        "webhooks",
        "keys",
        "jobs",
        "images",
        "idempotency_keys",
        "datasets",
        "worker_processes",
        "tenants",
    ):
        op.drop_table(table)
