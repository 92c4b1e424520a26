"""Server-sent events: a job's history and future, and an answer as it becomes ready. Holds no database session."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from app.catalog.jobs import JobRepository
from app.catalog.session import transaction
from app.catalog.tables import JobEventRow
from app.formats.bodies import job_event_data
from app.http.deps import Web
from app.http.waiting import Ordered, finished_job
from app.queue.tasks import JobStatus

KEEPALIVE_S = 15
LONGEST_ANSWER_S = 120
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event(name: str, data: Any, event_id: int | None = None) -> str:
    """One server-sent event with a JSON body."""
    head = f"event: {name}\n" if event_id is None else f"id: {event_id}\nevent: {name}\n"
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n"


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An SSE response."""
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def job_events(web: Web, tenant_id: UUID, job_id: UUID, after: int) -> AsyncIterator[str]:
    """Yield a job's events after an id, those to come as well, until the job has ended."""
    async with web.listener.watch(job_id) as changed:
        while True:
            rows, ended = await run_in_threadpool(_events_after, web, tenant_id, job_id, after)
            for row in rows:
                after = row.id
                yield event(row.type, job_event_data(row), row.id)
            if ended and not rows:
                return
            if not rows and not await changed.wait(KEEPALIVE_S):
                yield ": still here\n\n"


def _events_after(web: Web, tenant_id: UUID, job_id: UUID, after: int) -> tuple[list[JobEventRow], bool]:
    with transaction(web.engine, tenant_id) as session:
        jobs = JobRepository(session)
        ended = JobStatus(jobs.get(job_id).status).finished
        return jobs.events_after(job_id, after=after), ended


async def answer_events(web: Web, ordered: Ordered) -> AsyncIterator[str]:
    """Yield `text`, `mention` and `answer` once the answer is there, or `error`."""
    job = await finished_job(web, ordered.tenant_id, ordered.job_id, LONGEST_ANSWER_S)
    if job.status != "succeeded":
        error = job.error or {"code": "deadline", "title": "The answer was not ready in time", "status": 504}
        yield event("error", error)
        return
    body = await run_in_threadpool(_answer, web, ordered, job.result or {})
    for answer in body["data"] if body.get("object") == "list" else [body]:
        yield event("text", {"text": answer["text"]})
        for mention in answer["mentions"]:
            yield event("mention", mention)
        yield event("answer", answer)


def _answer(web: Web, ordered: Ordered, result: dict[str, Any]) -> Any:
    with transaction(web.engine, ordered.tenant_id) as session:
        return ordered.render(session, result)
