"""The short form of a transaction: one round trip, the same walls between tenants, all or nothing."""

from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.catalog.session import app_engine, at_once, of_tenant, transaction
from app.settings import Settings

COUNT = "SELECT count(*) FROM deployments"
ADD = "INSERT INTO deployments (id) VALUES (%(id)s) RETURNING tenant_id"


def test_it_sees_and_writes_one_tenants_rows(engine: Engine, tenant: UUID, other_tenant: UUID) -> None:
    assert at_once(engine, of_tenant(tenant), ADD, {"id": uuid4()}, {"id": uuid4()}) == [(tenant,), (tenant,)]
    assert at_once(engine, of_tenant(tenant), COUNT, {}) == [(2,)]
    assert at_once(engine, of_tenant(other_tenant), COUNT, {}) == [(0,)]
    with transaction(engine, tenant) as session:
        assert session.scalar(text(COUNT)) == 2


def test_the_tenant_does_not_stay_on_the_connection(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    at_once(engine, of_tenant(tenant), ADD, {"id": uuid4()})
    with transaction(engine, None) as session:
        assert session.scalar(text(COUNT)) == 0
        assert not session.scalar(text("SELECT current_setting('app.tenant', true)"))
    engine.dispose()


def test_all_or_nothing(engine: Engine, tenant: UUID) -> None:
    twice = uuid4()
    with pytest.raises(IntegrityError):
        at_once(engine, of_tenant(tenant), ADD, {"id": uuid4()}, {"id": twice}, {"id": twice})
    assert at_once(engine, of_tenant(tenant), COUNT, {}) == [(0,)]


def test_after_an_error_the_connection_begins_transactions_again(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1)
    with pytest.raises(IntegrityError):
        at_once(engine, of_tenant(tenant), ADD, *({"id": tenant} for _ in range(2)))
    with transaction(engine, tenant) as session:
        session.execute(text("INSERT INTO deployments (id) VALUES (uuidv7())"))
        session.rollback()
    assert at_once(engine, of_tenant(tenant), COUNT, {}) == [(0,)]
    engine.dispose()


def test_a_dropped_connection_is_an_error_once(database: Settings, tenant: UUID) -> None:
    engine = app_engine(database, pool_size=1, ping_after_s=60)
    at_once(engine, of_tenant(tenant), COUNT, {})
    with psycopg.connect(str(database.database_url), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(OperationalError):
        at_once(engine, of_tenant(tenant), COUNT, {})
    assert at_once(engine, of_tenant(tenant), COUNT, {}) == [(0,)]
    engine.dispose()


def test_only_what_may_be_lost_does_not_wait_for_the_disk(database: Settings, tenant: UUID) -> None:
    with psycopg.connect(str(database.database_url), autocommit=True) as owner:
        owner.execute(f"ALTER DATABASE {owner.info.dbname} SET synchronous_commit = on")
    engine = app_engine(database, pool_size=1)
    how = "SELECT current_setting('synchronous_commit')"
    assert at_once(engine, of_tenant(tenant), how, {}, durable=False) == [("off",)]
    assert at_once(engine, of_tenant(tenant), how, {}) == [("on",)]
    engine.dispose()
