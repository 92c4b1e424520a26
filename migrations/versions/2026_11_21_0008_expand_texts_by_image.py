"""Find the texts of an image and of a mark set without reading all texts, as every deletion of either does. Revision 0008."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_texts_tenant_id_image_id"), "texts", ["tenant_id", "image_id"])
    op.create_index(
        op.f("ix_texts_tenant_id_mark_set_id"),
        "texts",
        ["tenant_id", "mark_set_id"],
        postgresql_where=sa.text("mark_set_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_texts_tenant_id_mark_set_id"), "texts")
    op.drop_index(op.f("ix_texts_tenant_id_image_id"), "texts")
