"""What published annotation files say about images: one row per image and source. Revision 0003.

The previous release does not read the table. It is shut to everything but the tenant's own rows, as the others are.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APP = "markwise_app"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "image_facts",
        sa.Column("image_id", sa.UUID(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "tenant_id",
            sa.UUID(),
            server_default=sa.text("current_setting('app.tenant', true)::uuid"),
            nullable=False,
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "image_id"],
            ["images.tenant_id", "images.id"],
            name=op.f("fk_image_facts_tenant_id_image_id_images"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_image_facts_tenant_id_tenants"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_facts")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("uq_image_facts_tenant_id_id")),
        sa.UniqueConstraint(
            "tenant_id", "source", "external_id", name=op.f("uq_image_facts_tenant_id_source_external_id")
        ),
    )
    op.create_index(
        op.f("ix_image_facts_tenant_id_created_at_id"), "image_facts", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_image_facts_tenant_id_image_id"), "image_facts", ["tenant_id", "image_id"], unique=False)
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON image_facts TO {APP}")
    op.execute("ALTER TABLE image_facts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE image_facts FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON image_facts"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.drop_table("image_facts")
