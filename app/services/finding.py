"""Order searches for tagged pictures, and show the ranking that came out: as rows and as a gallery."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.candidates import CandidateRepository
from app.catalog.images import ImageRepository
from app.catalog.jobs import JobRepository
from app.catalog.model_versions import ModelVersionRepository
from app.catalog.tables import CandidateRow, ImageRow, JobRow
from app.errors import NotFound, Unprocessable
from app.queue.outbox import enqueue
from app.queue.tasks import Queue
from app.services import thumbnails
from app.services.learning import select_images
from app.storage.blobs import BlobStore
from models.finder import RECIPE as FINDER
from models.finder.gallery import WIDTH_PX, Shown, page
from models.finder.ranking import Found

KIND = "finding.run"


def find(session: Session, body: dict[str, Any], *, idempotency_key: str | None) -> JobRow:
    """Queue a search, one item per image; raises NotFound and Unprocessable."""
    versions, name = ModelVersionRepository(session), body["finder"]
    version = versions.find_by_name(name, (FINDER,))
    if version is None:
        if versions.find_by_name(name) is not None:
            raise Unprocessable("This model answers questions; a finder is taught by the recipe `finder`.")
        raise NotFound("There is no finder with this name; `POST /v1/trainings` with the recipe `finder` teaches one.")
    payload = {"model_version_id": str(version.id), "tagged_label": body["tagged_label"]}
    return enqueue(
        session,
        kind=KIND,
        queue=Queue.BATCH,
        payload={"finding": payload},
        items=[{"image_id": str(image_id)} for image_id in select_images(session, body["images"])],
        idempotency_key=idempotency_key,
    )


def job_of(session: Session, finding_id: UUID) -> JobRow:
    """Return the job of a search; raises NotFound for another job."""
    job = JobRepository(session).get(finding_id)
    if job.kind != KIND:
        raise NotFound("There is no finding with this id.")
    return job


def candidates(session: Session, job: JobRow, *, limit: int, after: str | None) -> tuple[list[CandidateRow], bool]:
    """Return a page of the ranking as far as it goes, and whether there is more; raises BadRequest."""
    rows = CandidateRepository(session).ranked(job.id, limit=limit + 1, after=after)
    return rows[:limit], len(rows) > limit


def with_images(session: Session, rows: list[CandidateRow]) -> list[tuple[CandidateRow, ImageRow]]:
    """Return candidates with their images."""
    images = ImageRepository(session).with_ids([row.image_id for row in rows])
    return [(row, images[row.image_id]) for row in rows if row.image_id in images]


def gallery(blobs: BlobStore, job: JobRow, ranked: list[tuple[CandidateRow, ImageRow]]) -> str:
    """Return the page of these candidates, which fetches nothing; raises BlobError. Call it with no transaction open."""
    shown = [
        Shown(found=_found(row), size_hw=(image.height, image.width), webp=thumbnails.of_image(blobs, image, WIDTH_PX))
        for row, image in ranked
    ]
    return page(f"{len(shown)} of {job.progress_done - job.progress_failed} pictures", shown)


def _found(row: CandidateRow) -> Found:
    x0, y0, x1, y1 = row.bbox_xyxy_px
    return Found(name=str(row.image_id), score=row.score, bbox_xyxy_px=(x0, y0, x1, y1))
