"""The migrations build exactly the tables of the catalog, can be undone, and keep tenants apart."""

from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Engine, text
from sqlalchemy.exc import ProgrammingError

from app.catalog.session import owner_engine, queue_transaction, transaction
from app.catalog.tables import TENANT_TABLES, Base
from app.settings import Settings
from app.stack import migrate as migrating

TABLES_LEFT = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


def scalar(settings: Settings, statement: str) -> object:
    with psycopg.connect(str(settings.database_url)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def test_upgrade_gives_the_tables_of_the_code(database: Settings) -> None:
    engine = owner_engine(str(database.database_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    engine.dispose()
    assert differences == []


def test_upgrade_gives_the_checks_of_the_code(database: Settings) -> None:
    # Alembic's comparison does not look at CHECK constraints.
    expected = sorted(
        str(constraint.name)
        for table in Base.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    )
    with psycopg.connect(str(database.database_url)) as connection:
        found = connection.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        ).fetchall()
    assert sorted(row[0] for row in found) == expected


def test_downgrade_leaves_nothing_and_upgrade_works_again(empty_database: Settings) -> None:
    migrating.migrate(empty_database)
    engine = owner_engine(str(empty_database.database_url))
    with engine.connect() as connection:
        command.downgrade(migrating.configuration(connection), "base")
    engine.dispose()
    assert scalar(empty_database, f"{TABLES_LEFT} AND relname <> 'alembic_version'") == 0
    migrating.migrate(empty_database)
    assert scalar(empty_database, TABLES_LEFT) == len(Base.metadata.tables) + 1


def test_an_embedded_database_with_an_older_schema_is_dumped_first(empty_database: Settings) -> None:
    migrating.migrate(empty_database, "0001")
    with psycopg.connect(str(empty_database.database_url)) as connection:
        connection.execute("INSERT INTO tenants (name) VALUES ('kept')")
    backup = migrating.migrate(empty_database)
    assert backup is not None
    assert backup.read_bytes()[:5] == b"PGDMP"
    assert scalar(empty_database, "SELECT count(*) FROM tenants WHERE name = 'kept'") == 1
    assert migrating.migrate(empty_database) is None


def test_every_tenant_table_forces_row_security(database: Settings) -> None:
    with psycopg.connect(str(database.database_url)) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relrowsecurity AND relforcerowsecurity ORDER BY relname"
        ).fetchall()
    assert [row[0] for row in rows] == sorted(TENANT_TABLES)


@pytest.mark.parametrize("table", TENANT_TABLES)
def test_without_a_tenant_no_row_is_seen(database: Settings, engine: Engine, table: str, tenant: object) -> None:
    fill_table(database, table, tenant)
    with transaction(engine, None) as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    # A pooled connection that had a tenant before must be just as blind.
    with transaction(engine, uuid4()) as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    with transaction(engine, None) as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    with transaction(engine, tenant) as session:
        assert session.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def fill_table(settings: Settings, table: str, tenant: object) -> None:
    """Insert one row with a value for every column that must have one, foreign keys unchecked."""
    with psycopg.connect(str(settings.database_url)) as connection:
        connection.execute("SET session_replication_role = replica")
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'"
            " AND is_identity = 'NO' AND (column_default IS NULL OR column_name = 'tenant_id')",
            (table,),
        ).fetchall()
        samples = {
            "uuid": "uuidv7()", "jsonb": "'{}'", "integer": "1", "boolean": "true", "double precision": "1", "bytea": "''",
            "ARRAY": "'{}'", "timestamp with time zone": "now()",
        }  # fmt: skip
        words = {
            "queue": "'batch'",
            "type": "'log'",
            "review": "'accepted'",
            "kind": {"texts": "'listing'", "model_versions": "'adapter'"}.get(table),
        }
        values = {name: words.get(name) or samples.get(kind, "'x'") for name, kind in columns}
        values["tenant_id"] = f"'{tenant}'"
        connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")


def test_a_tenant_cannot_write_into_another(engine: Engine, tenant: object, other_tenant: object) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(engine, tenant) as session:
        session.execute(
            text("INSERT INTO webhooks (tenant_id, url, events, secret) VALUES (:t, 'u', '{}', 's')"),
            {"t": other_tenant},
        )


def test_the_roles_own_nothing_and_cannot_step_around_row_security(database: Settings) -> None:
    with psycopg.connect(str(database.database_url)) as connection:
        owned = connection.execute(
            "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) IN ('markwise_app', 'markwise_queue')"
        ).fetchall()
        flags = connection.execute(
            "SELECT DISTINCT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'markwise%'"
        ).fetchall()
    assert owned == []
    assert flags == [(False, False, False, False)]


@pytest.mark.parametrize("column", ["payload", "result"])
def test_the_queue_role_cannot_read_what_a_job_is_about(queue_engine: Engine, column: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), queue_transaction(queue_engine) as session:
        session.execute(text(f"SELECT {column} FROM jobs"))


def test_the_queue_role_sees_no_other_table(database: Settings) -> None:
    with psycopg.connect(str(database.database_url)) as connection:
        rows = connection.execute(
            "SELECT DISTINCT table_name FROM information_schema.column_privileges WHERE grantee = 'markwise_queue'"
        ).fetchall()
    queue_tables = {"jobs", "job_items", "job_events", "outbox", "worker_processes"}
    assert {row[0] for row in rows} == {*queue_tables, "storage_use", "webhooks", "webhook_deliveries"}


@pytest.mark.parametrize("column", ["url", "secret"])
def test_the_queue_role_cannot_read_where_a_webhook_leads(queue_engine: Engine, column: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), queue_transaction(queue_engine) as session:
        session.execute(text(f"SELECT {column} FROM webhooks"))


def test_production_roles_get_the_passwords_that_their_urls_carry(empty_database: Settings) -> None:
    owner = str(empty_database.database_url).replace("postgres@", "postgres:owner-secret@")
    production = empty_database.model_copy(update={"database_url": owner, "profile": "production"})
    migrating.migrate(production)
    assert (
        scalar(
            empty_database, "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'markwise%' AND rolpassword IS NOT NULL"
        )
        == 2
    )
    with psycopg.connect(production.app_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("markwise_app",)
