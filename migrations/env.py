"""Alembic's environment: runs migrations on a connection handed in, or on the URL of the settings.

Limits are set here for every migration: a lock that is not free in 4 s and a statement longer than 5 s end the
migration instead of queueing the service's traffic behind it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from sqlalchemy import Connection, text

from app.catalog.session import owner_engine
from app.catalog.tables import Base
from app.settings import Settings


@contextmanager
def _connection() -> Iterator[Connection]:
    given = context.config.attributes.get("connection")
    if given is not None:
        yield given
        return
    settings = Settings()
    if settings.database_url is None:
        raise SystemExit("set MARKWISE_DATABASE_URL to the owner's URL")
    engine = owner_engine(settings.database_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def run() -> None:
    """Run what was asked for in one transaction."""
    with _connection() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, compare_type=True, transaction_per_migration=False
        )
        with context.begin_transaction():
            connection.execute(text("SET LOCAL lock_timeout = '4s'"))
            connection.execute(text("SET LOCAL statement_timeout = '5s'"))
            context.run_migrations()


run()
