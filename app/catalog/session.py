"""Engines and units of work: `transaction` and `queue_transaction` end in the single commit of the project.

Called by the API's `Tx` dependency, the workers' runner and housekeeping. Knows no table and no rule.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session

from app.settings import Settings


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _engine(url: str, settings: Settings, *, name: str, pool_size: int, overflow: int) -> Engine:
    limits = {
        "statement_timeout": settings.statement_timeout_ms,
        "lock_timeout": settings.lock_timeout_ms,
        "idle_in_transaction_session_timeout": settings.idle_in_transaction_timeout_ms,
    }
    options = " ".join(f"-c {key}={value}" for key, value in limits.items())
    return create_engine(
        _driver_url(url),
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=5,  # a full pool must answer 503 while the caller still waits
        pool_pre_ping=True,
        pool_recycle=1800,
        connect_args={"options": options, "application_name": name, "connect_timeout": 5},
    )


def app_engine(settings: Settings, *, name: str = "markwise", pool_size: int | None = None) -> Engine:
    """Engine of the restricted role: sees one tenant per transaction, and nothing outside one."""
    size = settings.pool_size if pool_size is None else pool_size
    return _engine(settings.app_url, settings, name=name, pool_size=size, overflow=settings.pool_overflow)


def queue_engine(settings: Settings, *, name: str = "markwise-queue", pool_size: int = 2) -> Engine:
    """Engine of the queue's role: sees the queue tables of every tenant, and no payload."""
    return _engine(settings.queue_url, settings, name=name, pool_size=pool_size, overflow=2)


def ping_only_when_idle(engine: Engine, idle_s: float = 1.0) -> Engine:
    """Ask a pooled connection for a sign of life only if nobody used it for `idle_s`: under load the question is a tenth of the work.

    A connection that Postgres has just dropped is then found out by the statement, and its request ends in 503.
    """
    engine.pool._pre_ping = False  # noqa: SLF001 - create_engine offers always or never

    def checked(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", float("inf")) > idle_s:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError from error

    def used(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    event.listen(engine, "checkout", checked)
    event.listen(engine, "checkin", used)
    return engine


def owner_engine(url: str) -> Engine:
    """Engine of the schema's owner, for migrations only: one connection, no limits but the migration's own."""
    return create_engine(
        _driver_url(url), pool_size=1, max_overflow=0, connect_args={"application_name": "markwise-migrate"}
    )


@contextmanager
def _unit_of_work(engine: Engine) -> Iterator[Session]:
    # expire_on_commit=False: rows are rendered after the commit, and a reload would open a transaction again.
    session = Session(engine, expire_on_commit=False)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


@contextmanager
def transaction(engine: Engine, tenant_id: UUID | None) -> Iterator[Session]:
    """One transaction as `tenant_id`: commits at the end of the block, rolls back if it raises.

    Without a tenant (None, before a key is known) row-level security shows no tenant's rows.
    """
    with _unit_of_work(engine) as session:
        if tenant_id is not None:
            # Transaction-local: a plain SET would stay on the pooled connection for the next tenant.
            session.execute(text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(tenant_id)})
        yield session


@contextmanager
def queue_transaction(engine: Engine, *, durable: bool = True) -> Iterator[Session]:
    """One transaction of the queue's role, across tenants; `engine` comes from `queue_engine`.

    `durable=False` does not wait for the disk. Only for what may be forgotten in a crash of Postgres: a hint is then
    sent twice, a lease ends earlier. Never for a claim: two workers could hold the same attempt number.
    """
    with _unit_of_work(engine) as session:
        if not durable:
            session.execute(text("SET LOCAL synchronous_commit = off"))
        yield session
