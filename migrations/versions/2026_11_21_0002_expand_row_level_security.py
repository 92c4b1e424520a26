"""Create the two roles of the service, what they may touch, and which rows they see.

Revision 0002. `markwise_app` sees the rows of the tenant named by `app.tenant` and owns nothing; without the setting
it sees none. `markwise_queue` sees queue rows of every tenant, but no payload and no other table.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APP, QUEUE = "markwise_app", "markwise_queue"

TENANT_TABLES = (
    "answers",
    "dataset_items",
    "datasets",
    "deployments",
    "evaluations",
    "idempotency_keys",
    "images",
    "job_events",
    "job_items",
    "jobs",
    "keys",
    "mark_sets",
    "marks",
    "model_versions",
    "outbox",
    "texts",
    "webhook_deliveries",
    "webhooks",
)
APPEND_ONLY = ("job_events", "outbox")
# nullif: once a session has used the setting it is '' and not NULL in later transactions.
CURRENT_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

JOB_COLUMNS_READ = (
    "id, tenant_id, kind, queue, status, attempt, max_attempts, run_at, lease_until, worker, started_at, finished_at,"
    " hinted_at"
)
JOB_COLUMNS_WRITTEN = (
    "status, attempt, max_attempts, run_at, lease_until, worker, started_at, finished_at, hinted_at, error"
)
QUEUE_GRANTS = (
    ("jobs", f"SELECT ({JOB_COLUMNS_READ}), UPDATE ({JOB_COLUMNS_WRITTEN})"),
    ("job_items", "SELECT (job_id, tenant_id, item, status), UPDATE (status, finished_at)"),
    ("job_events", "SELECT (id), INSERT (job_id, tenant_id, type, data)"),
    ("outbox", "SELECT, INSERT, UPDATE, DELETE"),
    ("worker_processes", "SELECT, INSERT, UPDATE, DELETE"),
)
QUEUE_POLICIES = (
    ("jobs", "SELECT"),
    ("jobs", "UPDATE"),
    ("job_items", "SELECT"),
    ("job_items", "UPDATE"),
    ("job_events", "SELECT"),
    ("job_events", "INSERT"),
    ("outbox", "ALL"),
)


def _create_role(role: str) -> None:
    """Roles belong to the whole server: another database of it may have made them already."""
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOBYPASSRLS;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- made at this very moment by another database
        END $$
        """
    )


def upgrade() -> None:
    for role in (APP, QUEUE):
        _create_role(role)
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    op.execute(f"GRANT SELECT, INSERT ON tenants TO {APP}")
    op.execute(f"GRANT SELECT ON worker_processes TO {APP}")
    for table in TENANT_TABLES:
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        op.execute(f"GRANT {rights} ON {table} TO {APP}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant_isolation ON {table}"
            f" USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
        )
    # A key is looked up before its tenant is known: whoever shows the hash sees that one row.
    op.execute(
        "CREATE POLICY key_lookup ON keys FOR SELECT"
        " USING (key_sha256 = decode(nullif(current_setting('app.key_sha256', true), ''), 'hex'))"
    )

    for table, rights in QUEUE_GRANTS:
        op.execute(f"GRANT {rights} ON {table} TO {QUEUE}")
    for table, verb in QUEUE_POLICIES:
        clause = {"SELECT": "USING (true)", "INSERT": "WITH CHECK (true)"}.get(verb, "USING (true) WITH CHECK (true)")
        op.execute(f"CREATE POLICY queue_{verb.lower()} ON {table} FOR {verb} TO {QUEUE} {clause}")


def downgrade() -> None:
    """Take the rights back. The roles stay: other databases of the server may use them."""
    for table, verb in QUEUE_POLICIES:
        op.execute(f"DROP POLICY queue_{verb.lower()} ON {table}")
    op.execute("DROP POLICY key_lookup ON keys")
    for table in TENANT_TABLES:
        op.execute(f"DROP POLICY tenant_isolation ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*TENANT_TABLES, "tenants", "worker_processes"):
        op.execute(f"REVOKE ALL ON {table} FROM {APP}, {QUEUE}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {APP}, {QUEUE}")
