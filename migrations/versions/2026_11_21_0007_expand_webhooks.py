"""Deliver webhooks: when a delivery is due, what was in the way, and what the queue's role may do about it. Revision 0007.

The previous release writes neither table.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

QUEUE = "markwise_queue"
# The secret and the address stay out of the queue's sight; so does what is delivered.
GRANTS = (
    ("webhooks", "SELECT (id, tenant_id, events, kinds, active)"),
    (
        "webhook_deliveries",
        (
            "SELECT (id, tenant_id, status, attempts, due_at), INSERT (tenant_id, webhook_id, job_id, event),"
            " UPDATE (attempts, due_at)"
        ),
    ),
)
POLICIES = (
    ("webhooks", "SELECT", "USING (true)"),
    ("webhook_deliveries", "SELECT", "USING (true)"),
    ("webhook_deliveries", "INSERT", "WITH CHECK (true)"),
    ("webhook_deliveries", "UPDATE", "USING (true) WITH CHECK (true)"),
)


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("kinds", ARRAY(sa.String()), nullable=True))
    op.alter_column("webhook_deliveries", "job_id", nullable=True)
    op.add_column(
        "webhook_deliveries",
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
    )
    op.add_column("webhook_deliveries", sa.Column("error", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("ck_webhook_deliveries_known_status"),
        "webhook_deliveries",
        "status IN ('queued', 'delivered', 'failed')",
    )
    op.create_check_constraint(
        op.f("ck_webhook_deliveries_delivered_has_time"),
        "webhook_deliveries",
        "(status = 'delivered') = (delivered_at IS NOT NULL)",
    )
    op.create_index(
        "ix_webhook_deliveries_due", "webhook_deliveries", ["due_at"], postgresql_where=sa.text("status = 'queued'")
    )
    op.create_index(
        op.f("ix_webhook_deliveries_tenant_id_webhook_id_created_at_id"),
        "webhook_deliveries",
        ["tenant_id", "webhook_id", "created_at", "id"],
    )
    for table, rights in GRANTS:
        op.execute(f"GRANT {rights} ON {table} TO {QUEUE}")
    for table, verb, clause in POLICIES:
        op.execute(f"CREATE POLICY queue_{verb.lower()} ON {table} FOR {verb} TO {QUEUE} {clause}")


def downgrade() -> None:
    for table, verb, _ in POLICIES:
        op.execute(f"DROP POLICY queue_{verb.lower()} ON {table}")
    for table, rights in GRANTS:
        op.execute(f"REVOKE {rights} ON {table} FROM {QUEUE}")
    op.drop_index(op.f("ix_webhook_deliveries_tenant_id_webhook_id_created_at_id"), "webhook_deliveries")
    op.drop_index("ix_webhook_deliveries_due", "webhook_deliveries")
    op.drop_constraint(op.f("ck_webhook_deliveries_delivered_has_time"), "webhook_deliveries")
    op.drop_constraint(op.f("ck_webhook_deliveries_known_status"), "webhook_deliveries")
    op.drop_column("webhook_deliveries", "error")
    op.drop_column("webhook_deliveries", "due_at")
    op.execute("DELETE FROM webhook_deliveries WHERE job_id IS NULL")
    op.alter_column("webhook_deliveries", "job_id", nullable=False)
    op.drop_column("webhooks", "kinds")
