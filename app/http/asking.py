"""One question, whoever poses it: `/v1/ground` in its own form and `/v1/chat/completions` in OpenAI's come here.

Decides between the direct path and a worker, waits or follows, and gives back plain answer bodies or events; how they are shown is
the routes' business.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.answers import AnswerRepository
from app.catalog.session import NO_DATABASE, transaction
from app.errors import AppError, DeadlineExceeded, Unavailable, Unprocessable
from app.http.body import Upload
from app.http.deps import Web
from app.http.routes.images import accept
from app.http.schemas.ground import GroundIn
from app.http.schemas.marksets import MarksIn
from app.http.threads import in_time, pumped
from app.http.waiting import Ordered, StillRunning, abandon, read_job, rendered, result_of
from app.queue.tasks import JobStatus
from app.services import grounding, marking
from app.services.direct import DirectPath, Errand
from app.services.keys import Caller
from app.services.telling import Event, Heard

KEEPALIVE_S = 15.0
LONGEST_STREAM_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A question as it came in. `conversation` holds what only the chat route knows: instructions, earlier turns, max_tokens.

    `wait_s` is 0 where the caller does not wait.
    """

    web: Web
    caller: Caller
    body: GroundIn
    upload: Upload | None = None
    idempotency_key: str | None = None
    wait_s: float
    conversation: dict[str, Any] = field(default_factory=dict)
    posed_at: float = field(default_factory=time.monotonic)

    @property
    def question(self) -> dict[str, Any]:
        """The question as it is stored with a job."""
        asked = self.body.model_dump(mode="json", exclude={"image", "mark_set_id", "marks", "stream"})
        return asked | self.conversation

    @property
    def many(self) -> bool:
        """Whether a list of answers is expected."""
        return self.body.queries is not None

    def left_s(self) -> float | None:
        """The seconds left of the caller's own deadline, at least 0; None if there is none."""
        if self.body.deadline_ms is None:
            return None
        return max(0.0, self.body.deadline_ms / 1000 - (time.monotonic() - self.posed_at))


async def answer(posed: Posed) -> list[dict[str, Any]]:
    """Return the bodies of all answers; raises StillRunning, or an AppError."""
    if posed.wait_s > 0 and (direct := _direct_question(posed)) is not None:
        answered = await _answered_directly(posed, *direct)
        if answered is not None:
            return answered
    ordered = await run_in_threadpool(_order, posed)
    bodies: list[dict[str, Any]] = await result_of(
        posed.web, ordered, posed.wait_s, posed.left_s() if posed.wait_s > 0 else None
    )
    return bodies


async def begin(posed: Posed) -> AsyncIterator[Event | None]:
    """Pose the question and return its events; what can be refused is refused here, before the first of them.

    The events are `text`, `mention`, `answer`, and `error` in the end if it fails; None stands for a quarter of a minute in which
    nothing came.
    """
    errand = await _errand(posed)
    if errand is not None:
        posed.web.remote_slots.check()
        return _closed_by_errors(_direct_events(posed, errand))
    ordered = await run_in_threadpool(_order, posed)
    return _closed_by_errors(_worker_events(posed, ordered))


def _direct_question(posed: Posed) -> tuple[DirectPath, UUID] | None:
    """The direct path and the mark set, if the question is about an existing one: whether the server answers is seen there."""
    path, mark_set_id = posed.web.direct, posed.body.mark_set_id
    return None if path is None or mark_set_id is None or posed.upload is not None else (path, mark_set_id)


async def _answered_directly(posed: Posed, path: DirectPath, mark_set_id: UUID) -> list[dict[str, Any]] | None:
    """Return the answers of the server, None if a worker has to answer. One thread reads, asks and stores: one change of hands."""
    slots, unwanted = posed.web.remote_slots, Flag()

    def work() -> list[dict[str, Any]] | None:
        errand = path.errand(posed.caller.tenant_id, mark_set_id, posed.question, unwanted, posed.posed_at)
        return None if errand is None else errand.answers()

    slots.check()
    return await in_time(work, unwanted=unwanted, slots=slots, deadline_s=posed.left_s())


async def _errand(posed: Posed) -> Errand | None:
    """The question for the direct path, if the remote model answers it; for who reads along, and is refused before that."""
    direct = _direct_question(posed)
    if direct is None:
        return None
    path, mark_set_id = direct
    return await run_in_threadpool(
        path.errand, posed.caller.tenant_id, mark_set_id, posed.question, Flag(), posed.posed_at
    )


async def _direct_events(posed: Posed, errand: Errand) -> AsyncIterator[Event | None]:
    async for event in pumped(
        errand.events, unwanted=errand.unwanted, slots=posed.web.remote_slots, tick_s=KEEPALIVE_S
    ):
        yield event


async def _worker_events(posed: Posed, ordered: Ordered) -> AsyncIterator[Event | None]:
    """Follow a job: its asides as they come, its result when it is committed. Whoever leaves finds the answer in the catalog."""
    web, heard = posed.web, Heard(many=posed.many)
    left_s = posed.left_s()
    ends_at = time.monotonic() + (LONGEST_STREAM_S if left_s is None else min(left_s, LONGEST_STREAM_S))
    async with web.listener.watch(ordered.job_id, asides=True) as changed:
        job = await run_in_threadpool(read_job, web, ordered.tenant_id, ordered.job_id)
        while not JobStatus(job.status).finished:
            left = ends_at - time.monotonic()
            if left <= 0 and await run_in_threadpool(abandon, web, ordered):
                raise DeadlineExceeded
            woken = await changed.wait(min(KEEPALIVE_S, max(left, 0.01)))
            spoken = False
            while changed.heard:
                for event in heard.take(changed.heard.popleft()):
                    spoken = True
                    yield event
            if not woken and left > KEEPALIVE_S:
                yield None
            if not spoken:
                job = await run_in_threadpool(read_job, web, ordered.tenant_id, ordered.job_id)
    for event in heard.finish(await run_in_threadpool(rendered, web, ordered, job)):
        yield event


async def _closed_by_errors(events: AsyncIterator[Event | None]) -> AsyncIterator[Event | None]:
    """Pass events on; an error that comes after the response has begun is an event, too."""
    try:
        async for event in events:
            yield event
    except AppError as error:
        yield _told(error)
    except NO_DATABASE:
        yield _told(Unavailable("The catalog does not answer."))


def _told(error: AppError) -> Event:
    told = {"code": error.code, "title": error.title, "status": error.status, "detail": error.detail}
    return Event(name="error", data=told)


def _order(posed: Posed) -> Ordered:
    web, body = posed.web, posed.body
    web.backlog.check()
    image_id: UUID | None = None
    started = time.monotonic()
    if body.mark_set_id is None:
        image, _ = accept(web, posed.caller, body.image, posed.upload, [])
        image_id = image.id
    elif posed.upload is not None:
        raise Unprocessable("Give a `file` or a `mark_set_id`, not both.")
    settings = marking.canonical_settings((body.marks or MarksIn()).model_dump(mode="json"))
    with transaction(web.engine, posed.caller.tenant_id) as session:
        job = grounding.order(
            session,
            image_id=image_id,
            mark_set_id=body.mark_set_id,
            settings=settings,
            question=posed.question,
            synchronous=posed.wait_s > 0,
            streamed=body.stream,
            remote_model=None if web.remote is None else web.remote.name(),
            idempotency_key=posed.idempotency_key,
            timing_ms={"accept": 1000 * (time.monotonic() - started)},
        )

    def render(session: Session, result: dict[str, Any]) -> list[dict[str, Any]]:
        answers = AnswerRepository(session)
        return [answers.get(UUID(answer_id)).body for answer_id in result["answer_ids"]]

    return Ordered(job=job, status=200, render=render)


__all__ = ["Posed", "StillRunning", "answer", "begin"]
