"""A synchronous answer is the asynchronous path with a short wait.

A route orders a job in its own transaction, then awaits it here with no session held. Ready in time: the rendered
result. Not ready: 202 with the job, or 504 where the caller's own deadline is over. Failed: the job's own problem. After a
dependency that is down and after a deadline nothing is left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.jobs import JobRepository
from app.catalog.session import transaction
from app.catalog.tables import JobRow
from app.errors import DeadlineExceeded, JobFailed, Unavailable
from app.formats.bodies import job_body
from app.http.deps import Web
from app.queue.tasks import JobStatus

Render = Callable[[Session, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A job as it was when it was ordered, and how to show what it makes."""

    job: JobRow
    status: int
    render: Render

    @property
    def tenant_id(self) -> UUID:
        """Whose job it is."""
        return self.job.tenant_id

    @property
    def job_id(self) -> UUID:
        """The id to wait for."""
        return self.job.id


class StillRunning(Exception):
    """The job has not ended within the wait."""

    def __init__(self, job: JobRow) -> None:
        super().__init__()
        self.job = job


class Failed(JobFailed):
    """What the job itself said of its failure: code, status and title are the job's own."""

    def __init__(self, error: dict[str, Any]) -> None:
        self._title = str(error.get("title", JobFailed().title))
        super().__init__(str(error.get("detail") or ""))
        self.status = int(error.get("status", JobFailed.status))
        self.code = str(error.get("code", JobFailed.code))
        self.retry_after_s = Unavailable.retry_after_s if self.unavailable else None

    @property
    def title(self) -> str:
        """The title that the worker chose."""
        return self._title

    @property
    def unavailable(self) -> bool:
        """Whether a dependency was down, or the deadline over: then nothing is to be left behind."""
        return self.status in (503, 504)


async def finished_job(web: Web, ordered: Ordered, wait_s: float, *, stays: bool) -> JobRow:
    """Return the job as soon as it has ended, or as it is when the time is over; unless one `stays`, also when the process stops."""
    deadline = time.monotonic() + wait_s
    async with web.listener.watch(ordered.job_id) as changed:
        while True:
            job = await run_in_threadpool(read_job, web, ordered.tenant_id, ordered.job_id)
            left = deadline - time.monotonic()
            if JobStatus(job.status).finished or left <= 0 or (web.listener.leaving and not stays):
                return job
            await changed.wait(left)


def read_job(web: Web, tenant_id: UUID, job_id: UUID) -> JobRow:
    """Read one job in a transaction of its own."""
    with transaction(web.engine, tenant_id) as session:
        return JobRepository(session).get(job_id)


async def result_of(web: Web, ordered: Ordered, wait_s: float, deadline_s: float | None = None) -> Any:
    """Wait for a job and return what it made, rendered; raises Failed, StillRunning or DeadlineExceeded.

    A `deadline_s` that is not longer than the wait ends the job: whoever set it wants the answer by then or not at all.
    """
    hurried = deadline_s is not None and deadline_s <= wait_s
    longest_s = wait_s if deadline_s is None else min(wait_s, deadline_s)
    # Nobody waits: as ordered it is known, and an order under a key that was seen before may have ended long ago.
    job = ordered.job if longest_s <= 0 else await finished_job(web, ordered, longest_s, stays=hurried)
    if hurried and not JobStatus(job.status).finished:
        if await run_in_threadpool(abandon, web, ordered):
            raise DeadlineExceeded
        job = await run_in_threadpool(read_job, web, ordered.tenant_id, ordered.job_id)
    return await run_in_threadpool(rendered, web, ordered, job, waited=wait_s > 0)


async def respond(web: Web, ordered: Ordered, wait_s: float) -> JSONResponse:
    """Answer a POST that ordered a job: the result, or 202; raises Failed."""
    try:
        return JSONResponse(await result_of(web, ordered, wait_s), ordered.status)
    except StillRunning as late:
        return accepted(late.job)


def accepted(job: JobRow) -> JSONResponse:
    """202: the work goes on; where to look and when."""
    return JSONResponse(job_body(job), 202, {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"})


def rendered(web: Web, ordered: Ordered, job: JobRow, *, waited: bool = True) -> Any:
    """Return what a job made; raises Failed, or StillRunning also where nobody `waited` for the end of a failed one.

    A job that met a dead dependency or the end of its deadline is forgotten, so that nothing is left behind.
    """
    if job.status == JobStatus.SUCCEEDED:
        with transaction(web.engine, ordered.tenant_id) as session:
            return ordered.render(session, job.result or {})
    if not (JobStatus(job.status).finished and waited):
        raise StillRunning(job)
    failed = Failed(job.error or {})
    if failed.unavailable:
        with transaction(web.engine, ordered.tenant_id) as session:
            JobRepository(session).forget(job.id)
    raise failed


def abandon(web: Web, ordered: Ordered) -> bool:
    """Drop a job whose caller has no more time; False if it has succeeded after all."""
    with transaction(web.engine, ordered.tenant_id) as session:
        return JobRepository(session).abandon(ordered.job_id)
