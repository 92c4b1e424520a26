"""A catalog with texts about marked pictures, and a runner that builds datasets from them."""

from collections.abc import Callable, Iterator
from typing import Any, Literal
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine

from app.catalog.datasets import DatasetRepository
from app.catalog.images import ImageRepository
from app.catalog.mark_sets import MarkSetRepository
from app.catalog.session import transaction
from app.catalog.tables import DatasetItemRow, DatasetRow, ImageRow, JobRow, MarkSetRow
from app.catalog.texts import TextRepository
from app.formats.recipes import RecipeIn
from app.imaging.encode import encode
from app.queue.outbox import enqueue
from app.services import datasets
from app.services.import_folder import ImportFolder
from app.settings import Settings
from models.marks import place, style_of
from models.regions import Regions
from workers.handlers import HANDLERS
from workers.resources import Resources
from workers.runner import Outcome, Runner

Turns = list[dict[str, str]]
NAMES = ("red circle", "blue square", "green star")


def said(question: str, answer: str, *, image: bool = True) -> Turns:
    """One round in LLaVA's form."""
    return [
        {"from": "human", "value": f"<image>\n{question}" if image else question},
        {"from": "gpt", "value": answer},
    ]


class Catalog:
    """What tests put into a tenant's catalog, and the datasets they have built from it."""

    def __init__(self, engine: Engine, tenant: UUID, resources: Resources) -> None:
        self.engine, self.tenant, self.resources = engine, tenant, resources
        self.folder = ImportFolder(resources.settings)
        self.folder.root.mkdir(parents=True, exist_ok=True)
        self._count = 0
        with transaction(engine, tenant) as session:
            self.job_id = enqueue(session, kind="annotation.create", queue="batch", payload={}).id

    def image(self, *labels: str) -> UUID:
        """Add a small picture."""
        self._count += 1
        key = f"{self.tenant}/images/{self._count:064x}"
        self.resources.blobs.put_if_absent(key, encode(np.full((40, 60, 3), self._count % 256, np.uint8)))
        row = ImageRow(
            sha256=f"{self._count:064x}",
            media_type="image/png",
            width=60,
            height=40,
            bytes=1,
            labels=list(labels),
            source="test",
            blob_key=key,
        )
        with transaction(self.engine, self.tenant) as session:
            return ImageRepository(session).add(row)[0].id

    def mark_set(self, image_id: UUID, names: tuple[str, ...] = NAMES) -> UUID:
        """Mark three places of a picture."""
        boxes = [[2.0 + 19 * n, 5.0, 18.0 + 19 * n, 30.0] for n in range(len(names))]
        regions = Regions.from_boxes((40, 60), boxes, texts=list(names))
        style = style_of("markwise")
        key = f"{self.tenant}/overlays/{image_id}/markwise.png"
        self.resources.blobs.put_if_absent(key, encode(np.full((40, 60, 3), 200, np.uint8)))
        row = MarkSetRow(
            image_id=image_id,
            segmenter_name="provided",
            segmenter_version="1",
            style={"name": "markwise"},
            settings={"style": "markwise"},
            settings_sha256=str(image_id),
            omitted_regions=0,
            overlay_blob_key=key,
        )
        with transaction(self.engine, self.tenant) as session:
            return MarkSetRepository(session).add(row, regions, place(regions, style))

    def text(self, conversations: Turns | None = None, **given: Any) -> UUID:
        """Write a text: a listing about a fresh marked picture unless something else is given."""
        image_id = given.pop("image_id", None) or self.image()
        kind = given.get("kind", "listing")
        tagged = given.get("tagged", kind == "listing")
        if tagged and "mark_set_id" not in given:
            given["mark_set_id"] = self.mark_set(image_id)
        self._count += 1
        listing = "\n".join(f"{n}. {name}" for n, name in enumerate(NAMES, 1))
        values = {
            "image_id": image_id,
            "job_id": self.job_id,
            "job_item": self._count,
            "ordinal": 0,
            "kind": kind,
            "tagged": tagged,
            "conversations": conversations or said("List the marks.", listing),
            "provenance": {"writer": "rules"},
        } | given
        with transaction(self.engine, self.tenant) as session:
            repository = TextRepository(session)
            repository.add_once(values)
            return repository.list_after(limit=1, after=None).rows[0].id

    def order(
        self,
        recipe: RecipeIn | str | None = None,
        name: str = "d",
        kind: Literal["dataset.build", "dataset.preview"] = "dataset.build",
        **narrowing: Any,
    ) -> UUID:
        """Queue a build, or a look at what it would be, and return its job."""
        with transaction(self.engine, self.tenant) as session:
            return datasets.order(
                session,
                datasets.narrowed(recipe, name=name, **narrowing),
                name=name,
                folder=self.folder,
                may_read_files=True,
                idempotency_key=None,
                kind=kind,
            ).id

    def run(self, job_id: UUID) -> JobRow:
        """Run a job in this process and return it."""
        outcome = Runner(self.resources, HANDLERS, worker="test").run(job_id)
        assert outcome in {Outcome.SUCCEEDED, Outcome.FAILED}, outcome
        with transaction(self.engine, self.tenant) as session:
            row = session.get(JobRow, job_id)
            assert row is not None
            return row

    def build(self, recipe: RecipeIn | str | None = None, **narrowing: Any) -> DatasetRow:
        """Build a dataset and return it."""
        job = self.run(self.order(recipe, **narrowing))
        assert job.status == "succeeded", job.error
        return self.dataset(UUID((job.result or {})["dataset_id"]))

    def dataset(self, dataset_id: UUID) -> DatasetRow:
        """Read a dataset."""
        with transaction(self.engine, self.tenant) as session:
            return DatasetRepository(session).get(dataset_id)

    def items(self, dataset: DatasetRow) -> list[DatasetItemRow]:
        """Read its items."""
        with transaction(self.engine, self.tenant) as session:
            return list(DatasetRepository(session).items(dataset.id))


@pytest.fixture
def catalog(engine: Engine, tenant: UUID, database: Settings, tmp_path: Any) -> Iterator[Catalog]:
    """An empty catalog with blobs and a folder of imports of its own."""
    settings = database.model_copy(update={"blobs": str(tmp_path / "blobs"), "imports": tmp_path / "imports"})
    resources = Resources(settings)
    yield Catalog(engine, tenant, resources)
    resources.close()


RecipeOf = Callable[..., RecipeIn]


def recipe_of(*parts: dict[str, Any], **fields: Any) -> RecipeIn:
    """A recipe of these parts."""
    return RecipeIn.model_validate({"name": "r", "purpose": "A test.", "parts": list(parts), **fields})
