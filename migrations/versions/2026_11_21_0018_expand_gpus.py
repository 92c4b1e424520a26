"""Keep what a worker process sees of its GPUs, for /metrics. Revision 0018.

The previous release leaves the column as it is: nothing seen.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("worker_processes", sa.Column("gpus", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False))


def downgrade() -> None:
    op.drop_column("worker_processes", "gpus")
