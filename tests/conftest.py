"""Real Postgres and Redis for every test that asks: started once, one migrated template, a clone per test.

`database` are settings of a fresh database with the tenant `tenant`; `engine` and `queue_engine` connect to it with
the two roles of the service. Tests that ask for none of these start nothing.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest
import redis
from sqlalchemy import Engine

from app.catalog import session as catalog_session
from app.settings import Settings
from app.stack import embedded
from app.stack.migrate import migrate

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEMPLATE = "template_markwise"
# Nothing here outlives the machine; a test that kills Postgres still finds its pages in the kernel's cache.
FAST = (("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"))
_numbers = itertools.count()
pytest_plugins = ["tests.acceptance.service", "tests.acceptance.vllm_server"]


def with_database(settings: Settings, name: str) -> Settings:
    """The same server, another database."""
    parts = urlsplit(str(settings.database_url))
    return settings.model_copy(update={"database_url": urlunsplit(parts._replace(path=f"/{name}"))})


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Settings of a running Postgres and Redis in a folder of their own; the database `template_markwise` is migrated."""
    # Not pytest's tmp_path: its parents are private, and root's Postgres runs as another account.
    home = Path(tempfile.mkdtemp(prefix="mw-"))
    home.chmod(0o711)
    try:
        with embedded.started(Settings(home=home, profile="embedded"), postgres_options=FAST) as settings:
            execute(settings, f"CREATE DATABASE {TEMPLATE}")
            migrate(with_database(settings, TEMPLATE))
            yield settings
    finally:
        shutil.rmtree(home, ignore_errors=True)


def execute(settings: Settings, statement: str) -> None:
    """Run one statement as the owner, outside any transaction."""
    with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def empty_database(stack: Settings) -> Iterator[Settings]:
    """Settings of a database without any table."""
    name = f"empty_{next(_numbers)}"
    execute(stack, f"CREATE DATABASE {name}")
    yield with_database(stack, name)
    execute(stack, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(stack: Settings) -> Iterator[Settings]:
    """Settings of a migrated database of this test's own, and an empty Redis."""
    name = f"test_{next(_numbers)}"
    execute(stack, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY wal_log")
    with redis.Redis.from_url(str(stack.redis_url)) as client:
        client.flushall()
    yield with_database(stack, name)
    execute(stack, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(database: Settings) -> Iterator[Engine]:
    """Engine of the restricted role."""
    made = catalog_session.app_engine(database)
    yield made
    made.dispose()


@pytest.fixture
def queue_engine(database: Settings) -> Iterator[Engine]:
    """Engine of the queue's role."""
    made = catalog_session.queue_engine(database)
    yield made
    made.dispose()


def add_tenant(settings: Settings, name: str) -> UUID:
    """Create a tenant and return its id."""
    with psycopg.connect(str(settings.database_url), autocommit=True) as connection:
        row = connection.execute("INSERT INTO tenants (name) VALUES (%s) RETURNING id", (name,)).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


@pytest.fixture
def tenant(database: Settings) -> UUID:
    """A tenant with no rows."""
    return add_tenant(database, "test")


@pytest.fixture
def other_tenant(database: Settings) -> UUID:
    """Another one."""
    return add_tenant(database, "other")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The photos and screenshots beside the checkout; skips where they are absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs test pictures in {SHARED_DATA}, which are not part of the project")
    return SHARED_DATA
