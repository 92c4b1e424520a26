"""Keep what an image shows that looks like a mark and is none of ours. Revision 0006.

The previous release leaves the new column alone: its mark sets have no look-alikes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "mark_sets",
        sa.Column(
            "lookalikes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
    )


def downgrade() -> None:
    op.drop_column("mark_sets", "lookalikes")
