"""A client of the application in this process, which may do everything: its key has every scope."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.catalog.session import transaction
from app.main import create_app
from app.services.keys import ALL_SCOPES, issue
from app.settings import Settings


@pytest.fixture
def client(database: Settings, engine: Engine, tenant: UUID, tmp_path: Path) -> Iterator[TestClient]:
    """Keys are required, and this one is called ops."""
    with transaction(engine, tenant) as session:
        _, key = issue(session, "ops", list(ALL_SCOPES))
    settings = database.model_copy(update={"require_keys": True, "blobs": str(tmp_path)})
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {key}"}) as made:
        yield made
