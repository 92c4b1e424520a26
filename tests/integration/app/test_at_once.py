"""The short form of a transaction: one round trip, the same walls between tenants, all or nothing."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from app.catalog.session import app_engine, at_once, of_tenant, transaction
from app.settings import Settings

COUNT = "SELECT count(*) FROM deployments"
ADD = "INSERT INTO deployments (id) VALUES ($1) RETURNING tenant_id"


def test_it_sees_and_writes_one_tenants_rows(engine: Engine, tenant: UUID, other_tenant: UUID) -> None:
    assert at_once(engine, of_tenant(tenant), ADD, (uuid4(),), (uuid4(),)) == [(tenant,), (tenant,)]
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(2,)]
    assert at_once(engine, of_tenant(other_tenant), COUNT, ()) == [(0,)]
    with transaction(engine, tenant) as session:
        assert session.scalar(text(COUNT)) == 2


def test_the_tenant_does_not_stay_on_the_connection(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    at_once(engine, of_tenant(tenant), ADD, (uuid4(),))
    with transaction(engine, None) as session:
        assert session.scalar(text(COUNT)) == 0
        assert not session.scalar(text("SELECT current_setting('app.tenant', true)"))
    engine.dispose()


def test_all_or_nothing(engine: Engine, tenant: UUID) -> None:
    twice = uuid4()
    with pytest.raises(IntegrityError):
        at_once(engine, of_tenant(tenant), ADD, (uuid4(),), (twice,), (twice,))
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(0,)]


def test_after_an_error_the_connection_begins_transactions_again(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    with pytest.raises(IntegrityError):
        at_once(engine, of_tenant(tenant), ADD, *((tenant,) for _ in range(2)))
    with transaction(engine, tenant) as session:
        session.execute(text("INSERT INTO deployments (id) VALUES (uuidv7())"))
        session.rollback()
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(0,)]
    engine.dispose()


def test_a_dropped_connection_is_an_error_once(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1, ping_after_s=60)
    at_once(engine, of_tenant(tenant), COUNT, ())
    with psycopg.connect(str(database.database_url), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(OperationalError):
        at_once(engine, of_tenant(tenant), COUNT, ())
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(0,)]
    engine.dispose()


def test_a_server_that_is_gone_is_the_same_error(database: Settings, tenant: UUID) -> None:
    nobody = database.model_copy(update={"app_database_url": "postgresql://markwise_app@127.0.0.1:9/markwise"})
    engine = app_engine(nobody, pool_size=1)
    with pytest.raises(OperationalError):
        at_once(engine, of_tenant(tenant), COUNT, ())
    engine.dispose()


def test_only_what_may_be_lost_does_not_wait_for_the_disk(database: Settings, tenant: UUID) -> None:
    with psycopg.connect(str(database.database_url), autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {owner.info.dbname} SET synchronous_commit = on")
    engine = app_engine(database, pool_size=1)
    how = "SELECT current_setting('synchronous_commit')"
    assert at_once(engine, of_tenant(tenant), how, (), durable=False) == [("off",)]
    assert at_once(engine, of_tenant(tenant), how, ()) == [("on",)]
    engine.dispose()


def test_statements_that_the_connection_has_forgotten_are_told_again(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    at_once(engine, of_tenant(tenant), ADD, (uuid4(),))
    with engine.connect() as connection:
        connection.exec_driver_sql("DEALLOCATE ALL")
    assert at_once(engine, of_tenant(tenant), ADD, (uuid4(),), (uuid4(),)) == [(tenant,), (tenant,)]
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(3,)]
    engine.dispose()


def test_more_than_a_socket_holds_goes_both_ways(engine: Engine, tenant: UUID) -> None:
    texts = [letter * 2_000_000 for letter in "abc"]
    echoed = at_once(engine, of_tenant(tenant), "SELECT CAST($1 AS text)", *((text,) for text in texts))
    assert echoed == [(text,) for text in texts]


def test_values_come_back_as_they_were(engine: Engine, tenant: UUID) -> None:
    given = (uuid4(), None, 7, True, "é\u0001", [1, 2], b"\x00\xff", datetime(2026, 11, 21, 1, 2, 3, 456789, UTC))
    types = ("uuid", "text", "bigint", "boolean", "text", "integer[]", "bytea", "timestamptz")
    casts = ", ".join(f"CAST(${number} AS {name})" for number, name in enumerate(types, 1))
    assert at_once(engine, of_tenant(tenant), f"SELECT {casts}", given) == [given]


def test_a_value_that_cannot_be_sent_harms_no_connection(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    with pytest.raises(DataError):
        at_once(engine, of_tenant(tenant), "SELECT CAST($1 AS text)", ("a\x00b",))
    assert at_once(engine, of_tenant(tenant), COUNT, ()) == [(0,)]
    engine.dispose()
