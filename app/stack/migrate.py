"""Bringing a database to the newest schema; the roles' passwords come along. Used by `serve`, `migrate` and tests.

An embedded data folder is dumped before it is changed. Knows where migrations lie, not what they do.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, text

from app.catalog.keys import LOCAL_TENANT
from app.catalog.session import owner_engine
from app.settings import APP_ROLE, QUEUE_ROLE, Settings
from app.stack import postgres_server
from app.stack.embedded import data_folder

_log = logging.getLogger(__name__)
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# Any number, the same in every process: one migration at a time per database.
_ADVISORY_LOCK = 6_215_023_117


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration; `connection` is handed to env.py and stays the caller's."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def head() -> str:
    """The newest revision in the code."""
    newest = ScriptDirectory.from_config(configuration()).get_current_head()
    if newest is None:
        raise RuntimeError(f"there are no migrations in {MIGRATIONS}")
    return newest


def known_revisions() -> frozenset[str]:
    """Every revision in the code."""
    return frozenset(each.revision for each in ScriptDirectory.from_config(configuration()).walk_revisions())


@contextmanager
def _alone(settings: Settings) -> Iterator[Connection]:
    if settings.database_url is None:
        raise ValueError("migrating needs the owner's URL: set MARKWISE_DATABASE_URL")
    engine = owner_engine(settings.database_url)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            try:
                yield connection
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
    finally:
        engine.dispose()


def current(connection: Connection) -> str | None:
    """The revision of the database; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def _back_up(settings: Settings, revision: str) -> Path:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = data_folder(settings).backups / f"{now}-{revision}.dump"
    postgres_server.dump(str(settings.database_url), target)
    return target


def migrate(settings: Settings, revision: str = "head") -> Path | None:
    """Upgrade the database at the owner's URL; return the backup that was written first, if any.

    Only the embedded profile backs up: in production that is the operator's, before the deploy. Safe to call at
    every start and from several machines at once.
    """
    backup: Path | None = None
    wanted = head() if revision == "head" else revision
    with _alone(settings) as lock_connection:
        found = current(lock_connection)
        if found != wanted:
            if settings.embedded and found is not None:
                backup = _back_up(settings, found)
                _log.warning("the data folder has schema %s, this version has %s; backup: %s", found, wanted, backup)
            _upgrade(settings, revision)
        # So that `markwise doctor` can say which schema there is without the owner's URL.
        lock_connection.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))
        _set_passwords(settings, lock_connection)
        lock_connection.execute(
            text("INSERT INTO tenants (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": LOCAL_TENANT}
        )
    return backup


def _upgrade(settings: Settings, revision: str) -> None:
    engine = owner_engine(str(settings.database_url))
    try:
        with engine.connect() as connection:
            command.upgrade(configuration(connection), revision)
    finally:
        engine.dispose()


def _set_passwords(settings: Settings, connection: Connection) -> None:
    """Give the lesser roles the passwords that their URLs carry; the embedded server trusts its socket instead."""
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    for role, url in ((APP_ROLE, settings.app_url), (QUEUE_ROLE, settings.queue_url)):
        parts = urlsplit(url)
        if parts.password is None or parts.username != role:
            continue
        statement = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(unquote(parts.password))
        )
        raw.execute(statement)
