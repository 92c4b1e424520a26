"""/v1/jobs: watch, cancel and retry durable work."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, StreamingResponse
from typing_extensions import TypedDict

from app.catalog.curves import Curve, curves_of
from app.catalog.jobs import JobRepository
from app.catalog.session import transaction
from app.errors import BadRequest
from app.formats.bodies import JobBody, JobItemBody, job_body, job_item_body, time_text
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.streaming import job_events, stream
from app.services import jobs as job_service

router = APIRouter(tags=["jobs"])

Include = Annotated[Literal["order"] | None, Query(description="also what was ordered")]


@router.get("/v1/jobs")
def list_jobs(
    tx: Tx,
    _: AnyCaller,
    page: PageOf,
    kind: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[str | None, Query(max_length=100)] = None,
    include: Include = None,
) -> ListBody[JobBody]:
    """List jobs, newest first."""
    orders = include == "order"
    rows = JobRepository(tx).list_after(limit=page.limit, after=page.after, kind=kind, status=status, orders=orders)
    return list_body(rows, lambda row: job_body(row, order=orders))


@router.get("/v1/jobs/{job_id}")
def get_job(tx: Tx, _: AnyCaller, job_id: UUID, include: Include = None) -> JobBody:
    """Show one job as it is now."""
    return job_body(JobRepository(tx).get(job_id), order=include == "order")


@router.get("/v1/jobs/{job_id}/items")
def list_items(
    tx: Tx, _: AnyCaller, job_id: UUID, page: PageOf, status: Annotated[str | None, Query(max_length=100)] = None
) -> ListBody[JobItemBody]:
    """List the items of a batch job in order; `after` is an item number."""
    jobs = JobRepository(tx)
    jobs.get(job_id)
    if page.after is not None and not page.after.isdigit():
        raise BadRequest("The cursor in `after` is not one of ours.")
    rows = jobs.items_after(
        job_id, limit=page.limit + 1, after=-1 if page.after is None else int(page.after), status=status
    )
    more, rows = len(rows) > page.limit, rows[: page.limit]
    return {
        "data": [job_item_body(row) for row in rows],
        "has_more": more,
        "next_cursor": str(rows[-1].item) if more else None,
    }


class PointBody(TypedDict):
    """A bucket of a curve: its last step, mean, least and greatest value, and when it ended."""

    step: int | None
    value: float
    low: float
    high: float
    at: str


class CurveBody(TypedDict):
    """One number over the stages of a job, such as `loss`, `tokens_per_s` or `eta_s`; `count` values were reported."""

    name: str
    stage: str | None
    count: int
    points: list[PointBody]


class CurvesBody(TypedDict):
    """What a job reported as it went, thinned out for a chart."""

    object: str
    job_id: str
    data: list[CurveBody]


@router.get("/v1/jobs/{job_id}/curves")
def get_curves(tx: Tx, _: AnyCaller, job_id: UUID, points: Annotated[int, Query(ge=2, le=5_000)] = 400) -> CurvesBody:
    """Show the numbers a job has reported so far as curves of at most `points` points; the event stream has each of them."""
    JobRepository(tx).get(job_id)
    return {
        "object": "curves",
        "job_id": str(job_id),
        "data": [_curve_body(curve) for curve in curves_of(tx, job_id, points)],
    }


def _curve_body(curve: Curve) -> CurveBody:
    points: list[PointBody] = [
        {"step": one.step, "value": one.value, "low": one.low, "high": one.high, "at": time_text(one.at)}
        for one in curve.points
    ]
    return {"name": curve.name, "stage": curve.stage, "count": curve.count, "points": points}


@router.get("/v1/jobs/{job_id}/events", response_class=StreamingResponse)
def get_events(
    web: WebPart,
    caller: AnyCaller,
    job_id: UUID,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0)] = 0,
) -> StreamingResponse:
    """Stream the job's events (SSE), past and to come; `Last-Event-ID` resumes where a stream broke off."""
    with transaction(web.engine, caller.tenant_id) as session:
        JobRepository(session).get(job_id)
    if last_event_id is not None:
        if not last_event_id.isdigit() or len(last_event_id) > 18:
            raise BadRequest("`Last-Event-ID` is not one of ours.")
        after = int(last_event_id)
    return stream(job_events(web, caller.tenant_id, job_id, after))


@router.post("/v1/jobs/{job_id}/cancel", status_code=202, response_model=JobBody)
def cancel_job(tx: Tx, _: JobsCaller, job_id: UUID) -> JSONResponse:
    """Cancel: at once while it waits, at the worker's next look while it runs; 409 when it has ended."""
    return JSONResponse(job_body(job_service.cancel(tx, job_id)), 202)


@router.post("/v1/jobs/{job_id}/retry", status_code=202, response_model=JobBody)
def retry_job(tx: Tx, _: JobsCaller, job_id: UUID) -> JSONResponse:
    """Run a failed or cancelled job again: what is done stays done, what failed is tried anew."""
    row = job_service.retry(tx, job_id)
    return JSONResponse(job_body(row), 202, {"Location": f"/v1/jobs/{row.id}", "Retry-After": "1"})
