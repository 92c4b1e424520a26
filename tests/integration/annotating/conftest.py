"""A catalog with marked images, a runner in this process, and a scripted teacher on loopback."""

from collections.abc import Callable, Iterator
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine, select

from app.catalog.mark_sets import MarkSetRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageRow, JobItemRow, JobRow, MarkSetRow, TextRow
from app.http.schemas.annotating import AnnotationIn
from app.imaging.encode import encode
from app.queue.control import retry
from app.services import annotating
from app.services.marking import canonical_settings, settings_sha256
from app.settings import Settings
from app.storage.blobs import BlobStore, image_key
from models.marks import mark
from models.regions import Regions
from tests.fake_teacher import FakeTeacher, Script, teaching
from workers.resources import Resources

NAMES = ("cat", "dog", "cat", "ball")


def add_image(engine: Engine, blobs: BlobStore, tenant: UUID, number: int, *, label: str = "set") -> tuple[UUID, UUID]:
    """An image of 64 x 48 pixels with four marked and named boxes; returns the ids of image and mark set."""
    pixels = np.full((48, 64, 3), (number % 250, number // 250 % 250, 200), np.uint8)
    boxes = [(2.0, 2.0, 30.0, 20.0), (34.0, 2.0, 62.0, 20.0), (2.0, 26.0, 30.0, 46.0), (34.0, 26.0, 62.0, 46.0)]
    regions = Regions.from_boxes((48, 64), boxes, texts=NAMES, ids=["a", "b", "c", "d"])
    overlay, marking = mark(pixels, regions)
    sha256 = f"{number:064x}"
    picture_key, overlay_key = image_key(str(tenant), sha256), f"overlays/{tenant}/{sha256}.png"
    blobs.put_if_absent(picture_key, encode(pixels))
    blobs.put_if_absent(overlay_key, encode(overlay))
    settings = canonical_settings({"segmenter": "regions"})
    with transaction(engine, tenant) as session:
        image = ImageRow(
            sha256=sha256,
            media_type="image/png",
            width=64,
            height=48,
            bytes=1,
            labels=[label],
            source="test",
            blob_key=picture_key,
        )
        session.add(image)
        session.flush()
        row = MarkSetRow(
            image_id=image.id,
            segmenter_name="provided",
            segmenter_version="1",
            granularity=None,
            style={"name": "markwise"},
            settings=settings,
            settings_sha256=settings_sha256(settings),
            omitted_regions=0,
            overlay_blob_key=overlay_key,
        )
        return image.id, MarkSetRepository(session).add(row, regions, marking)


@pytest.fixture
def blobs_folder(tmp_path) -> str:
    return str(tmp_path / "blobs")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def teacher(script: Script) -> Iterator[tuple[str, FakeTeacher]]:
    with teaching(script) as running:
        yield running


@pytest.fixture
def resources(database: Settings, blobs_folder: str, teacher: tuple[str, FakeTeacher]) -> Iterator[Resources]:
    made = Resources(
        database.model_copy(
            update={
                "lease_s": 2.0,
                "heartbeat_s": 0.2,
                "blobs": blobs_folder,
                "vlm_url": teacher[0],
                "vlm_probe": False,
                "vlm_timeout_s": 5.0,
            }
        )
    )
    yield made
    made.close()


class Desk:
    """Orders texts and looks at what became of them."""

    def __init__(self, engine: Engine, resources: Resources, tenant: UUID) -> None:
        self.engine, self.resources, self.tenant = engine, resources, tenant

    def images(self, count: int, first: int = 0, label: str = "set") -> list[tuple[UUID, UUID]]:
        return [
            add_image(self.engine, self.resources.blobs, self.tenant, first + number, label=label)
            for number in range(count)
        ]

    def order(self, marked: list[tuple[UUID, UUID]] | None = None, **given: object) -> UUID:
        body = {"images": {"label": "set"}} | given
        if marked is not None:
            body |= {
                "images": {"ids": [str(image) for image, _ in marked]},
                "mark_set_ids": [str(s) for _, s in marked],
            }
        parsed = AnnotationIn.model_validate(body).model_dump(mode="json")
        with transaction(self.engine, self.tenant) as session:
            return annotating.annotate(
                session, parsed, remote_model="fake-teacher", idempotency_key=None, teachers={"another"}
            ).id

    def job(self, job_id: UUID) -> JobRow:
        with transaction(self.engine, self.tenant) as session:
            return session.get_one(JobRow, job_id)

    def items(self, job_id: UUID) -> list[JobItemRow]:
        with transaction(self.engine, self.tenant) as session:
            query = select(JobItemRow).where(JobItemRow.job_id == job_id).order_by(JobItemRow.item)
            return list(session.scalars(query))

    def texts(self, job_id: UUID) -> list[TextRow]:
        with transaction(self.engine, self.tenant) as session:
            query = select(TextRow).where(TextRow.job_id == job_id).order_by(TextRow.job_item, TextRow.ordinal)
            return list(session.scalars(query))

    def retry(self, job_id: UUID) -> None:
        with transaction(self.engine, self.tenant) as session:
            retry(session, job_id)

    def report(self, job_id: UUID) -> dict:
        with transaction(self.engine, self.tenant) as session:
            return annotating.report(session, job_id)


@pytest.fixture
def desk(engine: Engine, resources: Resources, tenant: UUID) -> Desk:
    return Desk(engine, resources, tenant)


Ordering = Callable[..., UUID]
