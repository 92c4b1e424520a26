"""Count what is stored, for each tenant and for each key that brought it, and hold it to a limit; two indexes for deleting. Revision 0015.

Triggers count, so that every way in and out does, cascades too. A picture counts as its stored copy, of which older rows know
only what was received; overlays count from now on. The previous release is counted as well and asks for no limit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

APP, QUEUE = "markwise_app", "markwise_queue"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

# A key's row has the key's id for its owner, the tenant's total the tenant's own.
COUNT_STORED = """
    CREATE FUNCTION count_stored(tenant uuid, owner_id uuid, more_images int, more_bytes bigint) RETURNS void LANGUAGE sql AS $$
        INSERT INTO storage_use AS u (tenant_id, owner, images, bytes) SELECT tenant, owner_id, more_images, more_bytes
        WHERE owner_id IS NOT NULL
        ON CONFLICT (tenant_id, owner) DO UPDATE SET images = u.images + excluded.images, bytes = u.bytes + excluded.bytes
    $$
"""
COUNT_IMAGE = """
    CREATE FUNCTION count_image() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- Always the tenant first: two that wait for each other's row would never end.
        IF TG_OP = 'INSERT' THEN
            PERFORM count_stored(NEW.tenant_id, NEW.tenant_id, 1, coalesce(NEW.stored_bytes, NEW.bytes));
            PERFORM count_stored(NEW.tenant_id, NEW.key_id, 1, coalesce(NEW.stored_bytes, NEW.bytes));
        ELSE
            PERFORM count_stored(OLD.tenant_id, OLD.tenant_id, -1, -coalesce(OLD.stored_bytes, OLD.bytes));
            PERFORM count_stored(OLD.tenant_id, OLD.key_id, -1, -coalesce(OLD.stored_bytes, OLD.bytes));
        END IF;
        RETURN NULL;
    END $$
"""
COUNT_OVERLAY = """
    CREATE FUNCTION count_overlay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM count_stored(NEW.tenant_id, NEW.tenant_id, 0, NEW.overlay_bytes);
        ELSE
            PERFORM count_stored(OLD.tenant_id, OLD.tenant_id, 0, -OLD.overlay_bytes);
        END IF;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.add_column("images", sa.Column("stored_bytes", sa.BigInteger(), nullable=True))
    op.add_column("images", sa.Column("key_id", sa.UUID(), nullable=True))
    op.add_column("mark_sets", sa.Column("overlay_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "storage_use",
        sa.Column(
            "tenant_id", sa.UUID(), server_default=sa.text("current_setting('app.tenant', true)::uuid"), nullable=False
        ),
        sa.Column("owner", sa.UUID(), nullable=False),
        sa.Column("images", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_images", sa.BigInteger(), nullable=True),
        sa.Column("max_bytes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("max_images >= 0 AND max_bytes >= 0", name=op.f("ck_storage_use_limits_are_sizes")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_storage_use_tenant_id_tenants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "owner", name=op.f("pk_storage_use")),
    )
    # As an owner who is no superuser sees the rows: of no tenant, while the policies are forced.
    op.execute("ALTER TABLE images NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO storage_use (tenant_id, owner, images, bytes)"
        " SELECT tenant_id, tenant_id, count(*), sum(bytes) FROM images GROUP BY tenant_id"
    )
    op.execute("ALTER TABLE images FORCE ROW LEVEL SECURITY")
    _open_to_tenants()
    for function in (COUNT_STORED, COUNT_IMAGE, COUNT_OVERLAY):
        op.execute(function)
    for table, function in (("images", "count_image"), ("mark_sets", "count_overlay")):
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
    # What a deleted image and a deleted job take along; without these each read all rows of the tenant.
    op.create_index(op.f("ix_answers_tenant_id_image_id"), "answers", ["tenant_id", "image_id"])
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_job_id"),
        "webhook_deliveries",
        ["tenant_id", "job_id"],
        postgresql_where=sa.text("job_id IS NOT NULL"),
    )
    # The unique index on (tenant_id, image_id, settings_sha256) begins the same.
    op.drop_index(op.f("ix_mark_sets_tenant_id_image_id"), "mark_sets")


def _open_to_tenants() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON storage_use TO {APP}")
    op.execute("ALTER TABLE storage_use ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE storage_use FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON storage_use"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    # For /metrics, which names no tenant.
    op.execute(f"GRANT SELECT ON storage_use TO {QUEUE}")
    op.execute(f"CREATE POLICY queue_select ON storage_use FOR SELECT TO {QUEUE} USING (true)")


def downgrade() -> None:
    op.create_index(op.f("ix_mark_sets_tenant_id_image_id"), "mark_sets", ["tenant_id", "image_id"])
    op.drop_index(op.f("ix_webhook_deliveries_tenant_id_job_id"), "webhook_deliveries")
    op.drop_index(op.f("ix_answers_tenant_id_image_id"), "answers")
    for table, function in (("images", "count_image"), ("mark_sets", "count_overlay")):
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}()")
    op.execute("DROP FUNCTION count_stored(uuid, uuid, int, bigint)")
    op.drop_table("storage_use")
    op.drop_column("mark_sets", "overlay_bytes")
    op.drop_column("images", "key_id")
    op.drop_column("images", "stored_bytes")
