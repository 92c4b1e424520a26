"""Let an operator empty a tenant, its sealed datasets too. Revision 0017.

The service's role may not change a tenant, so for it a seal stays a seal. The previous release does not know the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DATASET = """
    BEGIN
        {allowed}RAISE EXCEPTION 'dataset % is sealed and cannot change', OLD.id USING ERRCODE = 'restrict_violation';
    END
"""
ITEM = """
    DECLARE sealed uuid;
    BEGIN
        PERFORM 1 FROM datasets WHERE id IN (SELECT dataset_id FROM touched) FOR SHARE;
        SELECT id INTO sealed FROM datasets
            WHERE sealed_at IS NOT NULL AND id IN (SELECT dataset_id FROM touched){allowed} LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'dataset % is sealed and cannot change', sealed USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END
"""
EMPTIED = "SELECT FROM tenants AS t WHERE t.id = {of}.tenant_id AND t.emptied_since IS NOT NULL"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("emptied_since", sa.DateTime(timezone=True), nullable=True))
    allowed = f"IF TG_OP = 'DELETE' AND EXISTS ({EMPTIED.format(of='OLD')}) THEN RETURN OLD; END IF;\n        "
    _replace("refuse_sealed_dataset", DATASET.format(allowed=allowed))
    inserting = f"\n            AND (TG_OP = 'INSERT' OR NOT EXISTS ({EMPTIED.format(of='datasets')}))"
    _replace("refuse_item_of_sealed", ITEM.format(allowed=inserting))


def downgrade() -> None:
    _replace("refuse_sealed_dataset", DATASET.format(allowed=""))
    _replace("refuse_item_of_sealed", ITEM.format(allowed=""))
    op.drop_column("tenants", "emptied_since")


def _replace(name: str, body: str) -> None:
    op.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
