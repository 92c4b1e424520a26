"""Rank images by how surely marks are painted on them: finders among the model versions, and what they saw. Revision 0014.

The previous release neither reads the table nor knows the kind; it would offer a finder for deployment, so none is made before
the release after it runs everywhere.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

APP = "markwise_app"
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"
KIND = "ck_model_versions_known_kind"


def upgrade() -> None:
    op.drop_constraint(op.f(KIND), "model_versions")
    op.create_check_constraint(op.f(KIND), "model_versions", "kind IN ('checkpoint', 'adapter', 'finder')")
    op.create_table(
        "candidates",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("image_id", sa.UUID(), nullable=False),
        sa.Column(
            "tenant_id", sa.UUID(), server_default=sa.text("current_setting('app.tenant', true)::uuid"), nullable=False
        ),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("bbox_xyxy_px", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"],
            ["jobs.tenant_id", "jobs.id"],
            name=op.f("fk_candidates_tenant_id_job_id_jobs"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "image_id"],
            ["images.tenant_id", "images.id"],
            name=op.f("fk_candidates_tenant_id_image_id_images"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_candidates_score_is_a_share")),
        sa.PrimaryKeyConstraint("job_id", "image_id", name=op.f("pk_candidates")),
    )
    op.create_index(op.f("ix_candidates_job_id_score_image_id"), "candidates", ["job_id", "score", "image_id"])
    op.create_index(op.f("ix_candidates_tenant_id_image_id"), "candidates", ["tenant_id", "image_id"])
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON candidates TO {APP}")
    op.execute("ALTER TABLE candidates ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE candidates FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY tenant_isolation ON candidates"
        f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


def downgrade() -> None:
    op.drop_table("candidates")
    op.execute("DELETE FROM model_versions WHERE kind = 'finder'")
    op.drop_constraint(op.f(KIND), "model_versions")
    op.create_check_constraint(op.f(KIND), "model_versions", "kind IN ('checkpoint', 'adapter')")
