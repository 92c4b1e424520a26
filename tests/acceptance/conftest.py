"""Databases and processes for the acceptance tests."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.settings import Settings
from tests.acceptance import effects
from tests.acceptance.processes import Processes


@pytest.fixture
def effects_database(database: Settings) -> Settings:
    """A database with the table of the test handlers, and settings with short leases."""
    with psycopg.connect(str(database.database_url)) as connection:
        connection.execute(effects.TABLE)
    return database.model_copy(update={"lease_s": 3.0, "heartbeat_s": 0.75, "reap_every_s": 0.5, "hint_resend_s": 2.0})


@pytest.fixture
def processes(effects_database: Settings, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(effects_database, tmp_path / "processes.log")
    yield made
    made.stop()
