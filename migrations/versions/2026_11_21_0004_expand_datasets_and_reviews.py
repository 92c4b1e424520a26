"""Datasets that cannot change, with a hash of their words; the history of reviewed texts. Revision 0004.

Old datasets are sealed as they are, with their hash computed here. From then on triggers refuse every change of a sealed
dataset and of its items, whoever asks: erasing a tenant is the owner's, after `ALTER TABLE ... DISABLE TRIGGER USER`. The
previous release can read everything; what it writes as a dataset it cannot seal.
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APP = "markwise_app"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"
REVIEWS = "'unreviewed', 'accepted', 'edited', 'rejected'"

REWRITTEN = ("texts", "datasets", "dataset_items")

FUNCTIONS = {
    "refuse_sealed_dataset": """
        BEGIN
            RAISE EXCEPTION 'dataset % is sealed and cannot change', OLD.id USING ERRCODE = 'restrict_violation';
        END
    """,
    "refuse_changed_item": """
        BEGIN
            RAISE EXCEPTION 'items of datasets cannot change' USING ERRCODE = 'restrict_violation';
        END
    """,
    # The lock waits for a seal that is being set at this moment; only then is the answer final.
    "refuse_item_of_sealed": """
        DECLARE sealed uuid;
        BEGIN
            PERFORM 1 FROM datasets WHERE id IN (SELECT dataset_id FROM touched) FOR SHARE;
            SELECT id INTO sealed FROM datasets
                WHERE sealed_at IS NOT NULL AND id IN (SELECT dataset_id FROM touched) LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'dataset % is sealed and cannot change', sealed USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NULL;
        END
    """,
}
TRIGGERS = (
    (
        "datasets",
        "keep_sealed",
        "BEFORE UPDATE OR DELETE ON datasets FOR EACH ROW WHEN (OLD.sealed_at IS NOT NULL)",
        "refuse_sealed_dataset",
    ),
    ("dataset_items", "keep_items", "BEFORE UPDATE ON dataset_items FOR EACH STATEMENT", "refuse_changed_item"),
    ("dataset_items", "keep_whole", "BEFORE TRUNCATE ON dataset_items FOR EACH STATEMENT", "refuse_changed_item"),
    (
        "dataset_items",
        "add_before_seal",
        "AFTER INSERT ON dataset_items REFERENCING NEW TABLE AS touched FOR EACH STATEMENT",
        "refuse_item_of_sealed",
    ),
    (
        "dataset_items",
        "remove_before_seal",
        "AFTER DELETE ON dataset_items REFERENCING OLD TABLE AS touched FOR EACH STATEMENT",
        "refuse_item_of_sealed",
    ),
)


def upgrade() -> None:
    op.add_column("texts", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_mark_sets_revision_of_id",
        "mark_sets",
        ["revision_of_id"],
        postgresql_where=sa.text("revision_of_id IS NOT NULL"),
    )
    _history()
    _datasets()
    # An owner who is no superuser sees the rows of its own tables only where row security is not forced on it.
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    _items()
    _seal_what_is_there()
    for table in REWRITTEN:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        op.f("ck_datasets_sealed_is_whole"),
        "datasets",
        "(sealed_at IS NULL) = (version IS NULL) AND (sealed_at IS NULL) = (content_sha256 IS NULL)",
    )
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for _table, name, when, function in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()")
    op.execute(f"REVOKE UPDATE ON dataset_items FROM {APP}")


def _history() -> None:
    op.create_table(
        "text_revisions",
        sa.Column("text_id", sa.UUID(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "tenant_id", sa.UUID(), server_default=sa.text("current_setting('app.tenant', true)::uuid"), nullable=False
        ),
        sa.Column("review", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("conversations", JSONB(), nullable=False),
        sa.Column("reviewer", sa.String(), nullable=True),
        sa.Column("key_id", sa.UUID(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(f"review IN ({REVIEWS})", name=op.f("ck_text_revisions_known_review")),
        sa.CheckConstraint(
            "reason IS NULL OR reason IN ('source_error', 'imprecise', 'wrong')",
            name=op.f("ck_text_revisions_known_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "text_id"],
            ["texts.tenant_id", "texts.id"],
            name=op.f("fk_text_revisions_tenant_id_texts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("text_id", "revision", name=op.f("pk_text_revisions")),
    )
    op.execute(f"GRANT SELECT, INSERT ON text_revisions TO {APP}")
    op.execute("ALTER TABLE text_revisions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE text_revisions FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON text_revisions"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def _datasets() -> None:
    op.alter_column("datasets", "version", nullable=True)
    op.add_column("datasets", sa.Column("content_sha256", sa.String(), nullable=True))
    op.add_column("datasets", sa.Column("job_id", sa.UUID(), nullable=True))
    op.add_column("datasets", sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_datasets_tenant_id_jobs"),
        "datasets",
        "jobs",
        ["tenant_id", "job_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index("ix_datasets_unsealed", "datasets", ["job_id"], postgresql_where=sa.text("sealed_at IS NULL"))


def _items() -> None:
    op.alter_column("dataset_items", "text_id", nullable=True)
    for column in (
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("sample_id", sa.String(), nullable=True),
        sa.Column("image", sa.String(), nullable=True),
        sa.Column("image_id", sa.UUID(), nullable=True),
        sa.Column("mark_set_id", sa.UUID(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("review", sa.String(), nullable=True),
        sa.Column("part", sa.String(), server_default=sa.text("'texts'"), nullable=False),
        sa.Column("stage", sa.String(), server_default=sa.text("'all'"), nullable=False),
    ):
        op.add_column("dataset_items", column)
    op.execute(
        """
        UPDATE dataset_items AS i SET
            sample_id = t.id::text, kind = t.kind, review = t.review, revision = 0, image_id = t.image_id,
            mark_set_id = CASE WHEN t.tagged THEN t.mark_set_id END,
            image = coalesce(CASE WHEN t.tagged THEN t.mark_set_id END, t.image_id)::text || '.png'
        FROM texts AS t WHERE t.id = i.text_id
        """
    )
    for name in ("sample_id", "kind"):
        op.alter_column("dataset_items", name, nullable=False)
    for name in ("part", "stage"):
        op.alter_column("dataset_items", name, server_default=None)
    op.create_index(
        "ix_dataset_items_text_id", "dataset_items", ["text_id"], postgresql_where=sa.text("text_id IS NOT NULL")
    )


def _seal_what_is_there() -> None:
    connection = op.get_bind()
    items = sa.text(
        "SELECT sample_id, image, conversations FROM dataset_items WHERE dataset_id = :id ORDER BY position"
    )
    seal = sa.text("UPDATE datasets SET content_sha256 = :digest, sealed_at = created_at WHERE id = :id")
    for (dataset_id,) in connection.execute(sa.text("SELECT id FROM datasets")).all():
        digest = hashlib.sha256()
        for sample_id, image, conversations in connection.execute(items, {"id": dataset_id}):
            sample = {"id": sample_id, "image": image, "conversations": conversations}
            line = json.dumps(sample, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"
            digest.update(line.encode())
        connection.execute(seal, {"digest": digest.hexdigest(), "id": dataset_id})


def downgrade() -> None:
    """Datasets with records of files, and such as are not sealed, are lost: the previous release has no place for them."""
    op.execute(f"GRANT UPDATE ON dataset_items TO {APP}")
    for table, name, _when, _function in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}()")
    op.drop_constraint(op.f("ck_datasets_sealed_is_whole"), "datasets")
    op.execute("DELETE FROM datasets WHERE sealed_at IS NULL")
    op.execute("DELETE FROM datasets WHERE id IN (SELECT dataset_id FROM dataset_items WHERE text_id IS NULL)")
    op.drop_index("ix_dataset_items_text_id", "dataset_items")
    for name in ("revision", "sample_id", "image", "image_id", "mark_set_id", "kind", "review", "part", "stage"):
        op.drop_column("dataset_items", name)
    op.alter_column("dataset_items", "text_id", nullable=False)
    op.drop_index("ix_datasets_unsealed", "datasets")
    for name in ("content_sha256", "job_id", "sealed_at"):
        op.drop_column("datasets", name)
    op.alter_column("datasets", "version", nullable=False)
    op.drop_table("text_revisions")
    op.drop_index("ix_mark_sets_revision_of_id", "mark_sets")
    op.drop_column("texts", "revision")
