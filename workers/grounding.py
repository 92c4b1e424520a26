"""answer.create: mark set + question -> model -> answers whose mentions are resolved.

Marks the image first when the question came with a picture. Everything that came out commits in one transaction.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.imaging.encode import read_canonical
from app.services import answers
from app.services.grounding import queries_of
from models.errors import BackendDown
from models.grounding import GroundRequest, GroundResult, ground
from models.marks import place
from models.regions import Regions
from models.vlm.types import VlmBackend
from workers.context import JobContext
from workers.marking import Marked, marked_image, save, stored_marks
from workers.retries import NotWaitedFor


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `answer.create` job."""
    payload, question = job.payload, job.payload["question"]
    with job.transaction() as session:
        backend, version = job.resources.models.backend(session, question["model"])
    try:
        if payload["synchronous"]:
            backend.ready()
        marked = _marked(job, payload)
        queries = queries_of(question)
        results = []
        for number, query in enumerate(queries):
            job.progress(number, len(queries), "answer")
            results.append(_answer(backend, marked, query, question))
    except BackendDown as exc:
        if payload["synchronous"]:
            raise NotWaitedFor(str(exc)) from None
        raise

    def effect(session: Session) -> dict[str, Any]:
        mark_set_id = None if marked.mark_set is None else save(session, marked)
        version_id = None if version is None else version.id
        rows = [
            answers.store(
                session,
                image_id=marked.image.id,
                mark_set_id=mark_set_id,
                model_version_id=version_id,
                query=query,
                result=result,
                marking=marked.marking,
                regions=marked.regions,
                marking_ms=marked.timing_ms,
            )
            for query, result in zip(queries, results, strict=True)
        ]
        return {"answer_id": str(rows[0].id), "answer_ids": [str(row.id) for row in rows]}

    job.finish(effect)
    return None


def _marked(job: JobContext, payload: dict[str, Any]) -> Marked:
    if payload["mark_set_id"] is not None:
        return stored_marks(job, UUID(payload["mark_set_id"]))
    if payload["question"]["tags"]:
        return marked_image(job, UUID(payload["image_id"]), payload["settings"], payload["settings_sha256"])
    return _unmarked(job, UUID(payload["image_id"]), payload["settings"]["style"])


def _unmarked(job: JobContext, image_id: UUID, style: Any) -> Marked:
    """A picture to be asked about without marks: nothing is segmented and no mark set is stored."""
    with job.transaction() as session:
        image = ImageRepository(session).get(image_id)
    pixels = read_canonical(job.resources.blobs.get(image.blob_key))
    regions = Regions.empty((image.height, image.width))
    return Marked(
        image=image,
        pixels=pixels,
        overlay=pixels,
        regions=regions,
        marking=place(regions, style),
        mark_set=None,
        stored=False,
        timing_ms={},
    )


def _answer(backend: VlmBackend, marked: Marked, query: str, question: dict[str, Any]) -> GroundResult:
    deadline_ms = question["deadline_ms"]
    return ground(
        backend,
        GroundRequest(
            image=marked.pixels,
            overlay=marked.overlay,
            regions=marked.regions,
            marking=marked.marking,
            query=query,
            task=question["task"],
            tags=question["tags"],
            constrain=None if question["constrain"] else False,
            deadline_s=None if deadline_ms is None else deadline_ms / 1000,
        ),
    )
