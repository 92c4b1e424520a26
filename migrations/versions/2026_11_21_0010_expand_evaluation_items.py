"""Keep every answer of an evaluation, and what an evaluation was made with. Revision 0010.

The previous release leaves the new columns alone: its evaluations are finished when they are written. It does not read the table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

APP = "markwise_app"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def upgrade() -> None:
    op.add_column("evaluations", sa.Column("cell", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("evaluations", sa.Column("settings", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False))
    op.add_column(
        "evaluations",
        sa.Column(
            "finished_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=True
        ),
    )
    op.create_unique_constraint(
        op.f("uq_evaluations_tenant_id_job_id_cell"), "evaluations", ["tenant_id", "job_id", "cell"]
    )
    op.create_table(
        "evaluation_items",
        sa.Column("evaluation_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "tenant_id", sa.UUID(), server_default=sa.text("current_setting('app.tenant', true)::uuid"), nullable=False
        ),
        sa.Column("question_id", sa.String(), nullable=False),
        sa.Column("answer", JSONB(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("grade", sa.Float(), nullable=True),
        sa.Column("picture", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evaluation_id"],
            ["evaluations.tenant_id", "evaluations.id"],
            name=op.f("fk_evaluation_items_tenant_id_evaluation_id_evaluations"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("answer IS NULL OR error IS NULL", name=op.f("ck_evaluation_items_answered_or_not")),
        sa.PrimaryKeyConstraint("evaluation_id", "position", name=op.f("pk_evaluation_items")),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON evaluation_items TO {APP}")
    op.execute("ALTER TABLE evaluation_items ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE evaluation_items FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON evaluation_items"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.drop_table("evaluation_items")
    op.drop_constraint(op.f("uq_evaluations_tenant_id_job_id_cell"), "evaluations")
    op.execute("DELETE FROM evaluations WHERE finished_at IS NULL")
    for column in ("finished_at", "settings", "cell"):
        op.drop_column("evaluations", column)
