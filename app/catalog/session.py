"""Engines and units of work: `transaction` and `queue_transaction` end in the single commit of the project.

`at_once` is the short form for the hot path of the API: one round trip, and no ORM. Called by the API's `Tx` dependency, the direct
path, the workers' runner and housekeeping. Knows no table and no rule.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.catalog.round_trip import one_trip
from app.settings import Settings

NO_DATABASE = (OperationalError, PoolTimeout)
"""What is raised where Postgres does not answer: it is down, or every connection to it is in use."""
# The setting that the policies of row-level security go by, and its value.
Visible = tuple[str, str]
# Transaction-local: a plain SET would stay on the pooled connection for the next tenant.
_SET: LiteralString = "SELECT set_config(%(name)s, %(value)s, true)"
_SET_NOW: LiteralString = "SELECT set_config($1, $2, true)"
# A machine that is gone without a word: TCP would go on sending to it for a quarter of an hour. Beyond any statement's own limit.
_PEER_GONE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
_SET_HASTY: LiteralString = _SET_NOW + ", set_config('synchronous_commit', 'off', true)"


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _engine(url: str, settings: Settings, *, name: str, pool_size: int, overflow: int, pre_ping: bool = True) -> Engine:
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
        pool_pre_ping=pre_ping,
        pool_recycle=1800,
        connect_args={"options": options, "application_name": name, "connect_timeout": 5, **_PEER_GONE},
    )


def app_engine(
    settings: Settings,
    *,
    name: str = "markwise",
    pool_size: int | None = None,
    overflow: int | None = None,
    ping_after_s: float | None = None,
) -> Engine:
    """Engine of the restricted role: sees one tenant per transaction, and nothing outside one.

    A pooled connection is asked for a sign of life before every use; with `ping_after_s` only if nobody used it for that long, for
    under load the question is a tenth of the work. What Postgres dropped just then is found out by the statement, whose request ends
    in 503.
    """
    size = settings.pool_size if pool_size is None else pool_size
    engine = _engine(
        settings.app_url,
        settings,
        name=name,
        pool_size=size,
        overflow=settings.pool_overflow if overflow is None else overflow,
        pre_ping=ping_after_s is None,
    )
    if ping_after_s is not None:
        _ping_when_idle(engine, ping_after_s)
    return engine


def queue_engine(settings: Settings, *, name: str = "markwise-queue", pool_size: int = 2) -> Engine:
    """Engine of the queue's role: sees the queue tables of every tenant, and no payload."""
    return _engine(settings.queue_url, settings, name=name, pool_size=pool_size, overflow=2)


def _ping_when_idle(engine: Engine, idle_s: float) -> None:
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
            name, value = of_tenant(tenant_id)
            session.connection().exec_driver_sql(_SET, {"name": name, "value": value})
        yield session


def at_once(
    engine: Engine, visible: Visible, statement: LiteralString, *given: Sequence[Any], durable: bool = True
) -> list[tuple[Any, ...]]:
    """Run `statement`, with `$1`, `$2` ..., once for each of `given`, in one transaction and one round trip; returns the rows of all.

    It is committed at the end, or nothing of it happened. Costs the API 0.1 ms of CPU where `transaction` with two reads costs 0.9.
    `durable=False` does not wait for the disk: others see the rows at once, but a crash of Postgres (not of ours) within the next
    second may lose them. Raises DBAPIError as `transaction` does.
    """
    try:
        pooled = engine.raw_connection()
    except psycopg.Error as error:  # nobody there: SQLAlchemy names it for its own connections only
        raise _as_sqlalchemy_does(error, engine, statement) from error
    connection: psycopg.Connection[Any] = cast("psycopg.Connection[Any]", pooled.driver_connection)
    prepared: set[str] = pooled.info.setdefault("prepared", set())
    sent = [(_SET_NOW if durable else _SET_HASTY, visible), *((statement, values) for values in given)]
    try:
        _, *rows = one_trip(connection, prepared, sent)
        return [row for each in rows for row in each]
    except psycopg.Error as error:
        if connection.closed:
            pooled.invalidate(error)
        raise _as_sqlalchemy_does(error, engine, statement) from error
    finally:
        pooled.close()


def of_tenant(tenant_id: UUID) -> Visible:
    """What row-level security shows: the rows of one tenant."""
    return "app.tenant", str(tenant_id)


def of_key(key_sha256: bytes) -> Visible:
    """What row-level security shows before a tenant is known: the key with this hash."""
    return "app.key_sha256", key_sha256.hex()


def _as_sqlalchemy_does(error: psycopg.Error, engine: Engine, statement: str) -> BaseException:
    wrapped = DBAPIError.instance(statement, None, error, psycopg.Error, hide_parameters=True, dialect=engine.dialect)
    return cast("BaseException", wrapped)


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
