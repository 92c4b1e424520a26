"""answer.create: mark set + question -> model -> answers whose mentions are resolved.

Marks the image first when the question came with a picture. While somebody listens, the pieces of the text are told as they come;
everything that came out commits in one transaction, and only that counts.
"""

import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog.images import ImageRepository
from app.catalog.tables import JobRow
from app.imaging.encode import read_canonical
from app.services import answers
from app.services.questions import Pictures, marked_picture, queries_of, request_of
from app.services.telling import Asides, told_events
from models.errors import BackendDown, OutOfTime
from models.grounding import Caption, GroundRequest, GroundResult, MarkedPicture, ground, stream
from models.marks import place
from models.regions import Regions
from models.registry import read_lines
from models.vlm.types import VlmBackend
from workers.context import JobContext
from workers.marking import Marked, marked_image, save, stored_marks
from workers.retries import NotWaitedFor

TELL_EVERY_S = 0.05
"""Often enough to look like writing; a piece costs one short transaction."""


def run(job: JobContext) -> dict[str, Any] | None:
    """Handle one `answer.create` job."""
    payload, question = job.payload, job.payload["question"]
    clock = _Clock(job, question["deadline_ms"])
    with job.transaction() as session:
        backend, version = job.resources.models.backend(session, question["model"])
    try:
        if payload["synchronous"]:
            backend.ready()
        marked, pictures = _pictures(job, payload)
        answered = list(_answers(job, backend, pictures, clock))
    except OutOfTime:
        raise
    except BackendDown as exc:
        if payload["synchronous"]:
            raise NotWaitedFor(str(exc)) from None
        raise
    before_ms = {"queue": 1000 * clock.waited_s} | payload.get("timing_ms", {}) | marked.timing_ms

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
                before_ms=None if number else before_ms,
            )
            for number, (query, result) in enumerate(answered)
        ]
        return {"answer_id": str(rows[0].id), "answer_ids": [str(row.id) for row in rows]}

    job.finish(effect)
    return None


def _answers(
    job: JobContext, backend: VlmBackend, pictures: Pictures, clock: "_Clock"
) -> Iterator[tuple[str, GroundResult]]:
    """Yield each query with its answer."""
    question, streamed = job.payload["question"], job.payload.get("streamed", False)
    queries = queries_of(question)
    for number, query in enumerate(queries):
        job.progress(number, len(queries), "answer")
        request = request_of(question, query, pictures, left_s=clock.left_s())
        yield query, _told(job, backend, request, number) if streamed else ground(backend, request)


class _Clock:
    """How long the order waited for this attempt, and how much of its deadline is left; the database's clock began it."""

    def __init__(self, job: JobContext, deadline_ms: int | None) -> None:
        self._started = time.monotonic()
        with job.transaction() as session:
            waited = select(func.extract("epoch", func.clock_timestamp() - JobRow.created_at)).where(
                JobRow.id == job.job_id
            )
            self.waited_s = float(session.scalar(waited) or 0.0)
        self._deadline_s = None if deadline_ms is None else deadline_ms / 1000 - self.waited_s

    def left_s(self) -> float | None:
        """Return the seconds left, None without a deadline; raises OutOfTime."""
        if self._deadline_s is None:
            return None
        left_s = self._deadline_s - (time.monotonic() - self._started)
        if left_s <= 0:
            raise OutOfTime("the answer was not ready before its deadline")
        return left_s


def _pictures(job: JobContext, payload: dict[str, Any]) -> tuple[Marked, Pictures]:
    marked = _marked(job, payload)
    target_id = payload["question"].get("target_mark_set_id")
    target = None if target_id is None else _picture(stored_marks(job, UUID(target_id)))
    return marked, Pictures(picture=_picture(marked), target=target)


def _picture(marked: Marked) -> MarkedPicture:
    row = marked.mark_set
    settings, lookalikes = ({}, None) if row is None else (row.settings, row.lookalikes)
    ratio = settings.get("device_pixel_ratio", 1.0)

    def captions() -> list[Caption]:
        return [Caption(text=text, bbox_xyxy_px=box) for text, box in read_lines(marked.pixels, ratio)]

    return marked_picture(
        marked.pixels,
        marked.overlay,
        marked.regions,
        marked.marking,
        settings,
        lookalikes,
        captions if row is not None and row.segmenter_name == "gui" else None,
    )


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
        painted=lambda: pixels,
        regions=regions,
        marking=place(regions, style),
        mark_set=None,
        stored=False,
        timing_ms={},
    )


def _told(job: JobContext, backend: VlmBackend, request: GroundRequest, index: int) -> GroundResult:
    """Answer while telling the pieces of the text to whoever listens."""
    events = told_events(stream(backend, request), request, index, many=False)
    asides, next_at = Asides(index), 0.0
    while True:
        try:
            asides.add(next(events))
        except StopIteration as end:
            # What was not told is in the answer, which is committed next.
            result: GroundResult = end.value
            return result
        if time.monotonic() >= next_at:
            job.tell(asides.take())
            next_at = time.monotonic() + TELL_EVERY_S
