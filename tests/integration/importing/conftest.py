"""A runner in this process, a folder of imports, and a source of drawn pictures to put in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from app.catalog.session import transaction
from app.catalog.tables import JobItemRow, JobRow
from app.http.schemas.imports import ImportIn
from app.services import imports
from app.services.keys import Caller
from app.settings import Settings
from tests.acceptance.service import drawn

SIZE_WH = (64, 48)


@pytest.fixture
def imports_folder(tmp_path: Path) -> Path:
    made = tmp_path / "imports"
    made.mkdir()
    return made


@pytest.fixture
def settings(database: Settings, imports_folder: Path, tmp_path: Path) -> Settings:
    return database.model_copy(
        update={"imports": imports_folder, "blobs": str(tmp_path / "blobs"), "lease_s": 5.0, "heartbeat_s": 0.2}
    )


@pytest.fixture
def order(engine: Engine, tenant: UUID, settings: Settings) -> Callable[..., UUID]:
    def make(**given: Any) -> UUID:
        body = ImportIn.model_validate({"format": "coco"} | given).order()
        caller = Caller(tenant_id=tenant, key_id=None, scopes=frozenset({"jobs", "admin"}))
        with transaction(engine, tenant) as session:
            return imports.order(
                session, body, caller=caller, settings=settings, uploaded=None, idempotency_key=None
            ).id

    return make


@pytest.fixture
def job(engine: Engine, tenant: UUID) -> Callable[[UUID], JobRow]:
    def read(job_id: UUID) -> JobRow:
        with transaction(engine, tenant) as session:
            row = session.get(JobRow, job_id)
            assert row is not None
            return row

    return read


@pytest.fixture
def items(engine: Engine, tenant: UUID) -> Callable[[UUID], list[JobItemRow]]:
    def read(job_id: UUID) -> list[JobItemRow]:
        with transaction(engine, tenant) as session:
            return list(
                session.scalars(select(JobItemRow).where(JobItemRow.job_id == job_id).order_by(JobItemRow.item))
            )

    return read


def write_coco(
    folder: Path, count: int, *, first: int = 1, name: str = "instances.json", pictures: bool = True
) -> dict:
    """Put `count` drawn pictures and their instances file into `folder`; returns the document."""
    (folder / "pictures").mkdir(exist_ok=True)
    numbers = range(first, first + count)
    width, height = SIZE_WH
    document = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": width, "height": height} for n in numbers],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "bbox": [1, 2, 30, 20], "segmentation": [], "iscrowd": 0}
            for n in numbers
        ],
        "categories": [{"id": 1, "name": "shape"}],
    }
    if pictures:
        for number in numbers:
            (folder / "pictures" / f"{number}.png").write_bytes(drawn(number, SIZE_WH))
    (folder / name).write_text(json.dumps(document))
    return document
