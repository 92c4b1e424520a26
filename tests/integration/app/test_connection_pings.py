"""A pooled connection is asked for a sign of life when it was idle, not before every statement."""

import psycopg
import pytest
from sqlalchemy import Engine, text

from app.catalog.session import app_engine, transaction
from app.settings import Settings


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    seen: list[int] = []
    really = PGDialect_psycopg.do_ping

    def counted(self: PGDialect_psycopg, connection: object) -> bool:
        seen.append(1)
        return really(self, connection)

    monkeypatch.setattr(PGDialect_psycopg, "do_ping", counted)
    return seen


def ask(engine: Engine) -> int:
    with transaction(engine, None) as session:
        return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)


def drop_all(settings: Settings) -> None:
    with psycopg.connect(str(settings.database_url), autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_busy_connection_is_not_asked(database: Settings, pings: list[int]) -> None:
    engine = app_engine(database, ping_after_s=60)
    assert len({ask(engine) for _ in range(5)}) == 1
    assert pings == []
    engine.dispose()


def test_an_idle_connection_that_is_gone_is_replaced_unseen(database: Settings, pings: list[int]) -> None:
    engine = app_engine(database, ping_after_s=0)
    first = ask(engine)
    drop_all(database)
    assert ask(engine) != first
    assert pings
    engine.dispose()
