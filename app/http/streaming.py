"""Server-sent events: their form, and a job's history and future. Holds no database session."""

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
from app.queue.tasks import JobStatus

KEEPALIVE_S = 15
STILL_HERE = ": still here\n\n"
"""A comment: it keeps proxies from closing an idle stream, and readers skip it."""
COME_BACK = "retry: 1000\n\n"
"""What follows is to be asked for again in a second, with `Last-Event-ID`: of another process."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def event(name: str, data: Any, event_id: int | None = None) -> str:
    """One server-sent event with a JSON body."""
    head = f"event: {name}\n" if event_id is None else f"id: {event_id}\nevent: {name}\n"
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n"


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """An SSE response."""
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def job_events(web: Web, tenant_id: UUID, job_id: UUID, after: int) -> AsyncIterator[str]:
    """Yield a job's events after an id, those to come as well, until the job has ended or the process is about to stop."""
    async with web.listener.watch(job_id) as changed:
        while True:
            rows, ended = await run_in_threadpool(_events_after, web, tenant_id, job_id, after)
            for row in rows:
                after = row.id
                yield event(row.type, job_event_data(row), row.id)
            if ended and not rows:
                return
            if web.listener.leaving and not rows:
                yield COME_BACK
                return
            if not rows and not await changed.wait(KEEPALIVE_S):
                yield STILL_HERE


def _events_after(web: Web, tenant_id: UUID, job_id: UUID, after: int) -> tuple[list[JobEventRow], bool]:
    with transaction(web.engine, tenant_id) as session:
        jobs = JobRepository(session)
        ended = JobStatus(jobs.get(job_id).status).finished
        return jobs.events_after(job_id, after=after), ended
