"""Let several workers share the items of one job, and keep what a job has spent. Revision 0005.

The previous release leaves the new columns alone: its items have no holder, and its jobs spend nothing. The index gains
the item's number, so that the next items of a job of 100,000 are found without sorting the rest.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "jobs",
        sa.Column(
            "usage", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
    )
    op.add_column("job_items", sa.Column("holder_id", sa.UUID(), nullable=True))
    op.add_column("job_items", sa.Column("holder_attempt", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_job_items_job_id_status_item"), "job_items", ["job_id", "status", "item"], unique=False)
    op.drop_index(op.f("ix_job_items_job_id_status"), table_name="job_items")


def downgrade() -> None:
    op.create_index(op.f("ix_job_items_job_id_status"), "job_items", ["job_id", "status"], unique=False)
    op.drop_index(op.f("ix_job_items_job_id_status_item"), table_name="job_items")
    op.drop_column("job_items", "holder_attempt")
    op.drop_column("job_items", "holder_id")
    op.drop_column("jobs", "usage")
