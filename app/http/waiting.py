"""A synchronous answer is the asynchronous path with a short wait.

A route orders a job in its own transaction, then awaits it here with no session held. Ready in time: the rendered
result. Not ready: 202 with the job. Failed: the job's own problem. A dependency that is down: 503 and nothing left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.jobs import JobRepository
from app.catalog.session import transaction
from app.catalog.tables import JobRow
from app.errors import JobFailed, Unavailable
from app.formats.bodies import job_body
from app.http.deps import Web
from app.http.problems import problem
from app.queue.tasks import JobStatus

UNAVAILABLE_STATUSES = (503, 504)
Render = Callable[[Session, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A job that was ordered, and how to show what it makes."""

    tenant_id: UUID
    job_id: UUID
    status: int
    render: Render


async def finished_job(web: Web, tenant_id: UUID, job_id: UUID, wait_s: float) -> JobRow:
    """Return the job as soon as it has ended, or as it is when the time is over."""
    deadline = time.monotonic() + wait_s
    async with web.listener.watch(job_id) as changed:
        while True:
            job = await run_in_threadpool(read_job, web, tenant_id, job_id)
            left = deadline - time.monotonic()
            if JobStatus(job.status).finished or left <= 0:
                return job
            await changed.wait(left)


def read_job(web: Web, tenant_id: UUID, job_id: UUID) -> JobRow:
    """Read one job in a transaction of its own."""
    with transaction(web.engine, tenant_id) as session:
        return JobRepository(session).get(job_id)


async def respond(request: Request, web: Web, ordered: Ordered, wait_s: float) -> JSONResponse:
    """Answer a POST that ordered a job."""
    job = await finished_job(web, ordered.tenant_id, ordered.job_id, wait_s)
    if job.status == "succeeded":
        body = await run_in_threadpool(_rendered, web, ordered, job.result or {})
        return JSONResponse(body, ordered.status)
    if JobStatus(job.status).finished and wait_s > 0:
        return await run_in_threadpool(failure, request, web, ordered, job)
    return accepted(job)


def accepted(job: JobRow) -> JSONResponse:
    """202: the work goes on; where to look and when."""
    return JSONResponse(job_body(job), 202, {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"})


def failure(request: Request, web: Web, ordered: Ordered, job: JobRow) -> JSONResponse:
    """The job's error as a problem; a job that met a dead dependency is forgotten, so that nothing is left behind."""
    error = job.error or {}
    status = int(error.get("status", JobFailed.status))
    unavailable = status in UNAVAILABLE_STATUSES
    if unavailable:
        with transaction(web.engine, ordered.tenant_id) as session:
            JobRepository(session).forget(job.id)
    return problem(
        request,
        status=status,
        code=str(error.get("code", JobFailed.code)),
        title=str(error.get("title", JobFailed().title)),
        detail=error.get("detail"),
        retry_after_s=Unavailable.retry_after_s if unavailable else None,
    )


def _rendered(web: Web, ordered: Ordered, result: dict[str, Any]) -> Any:
    with transaction(web.engine, ordered.tenant_id) as session:
        return ordered.render(session, result)
