"""Let the workers of an annotation order share what a teacher told one of them. Revision 0016.

The previous release does not know the table: its workers ask for themselves, as before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

APP = "markwise_app"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("key_sha256", sa.String(), nullable=False),
        sa.Column(
            "tenant_id", sa.UUID(), server_default=sa.text("current_setting('app.tenant', true)::uuid"), nullable=False
        ),
        sa.Column("found", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name=op.f("fk_ledger_entries_tenant_id_job_id_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "key_sha256", name=op.f("pk_ledger_entries")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ledger_entries TO {APP}")
    op.execute("ALTER TABLE ledger_entries ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE ledger_entries FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON ledger_entries"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.drop_table("ledger_entries")
