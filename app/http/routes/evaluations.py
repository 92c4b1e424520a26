"""/v1/evaluations: measure models, and read what came out. /v1/benchmarks: by what."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from typing_extensions import TypedDict

from app.catalog.evaluations import EvaluationRepository
from app.formats.bodies import EvaluationBody, JobBody, evaluation_body, evaluation_item_body
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, list_body
from app.http.routes.images import CONTENT_HEADERS
from app.http.schemas.evaluating import EvaluationIn
from app.http.waiting import accepted
from app.services import evaluating

router = APIRouter(tags=["learning"])

_PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'"}


class BenchmarkBody(TypedDict):
    """A benchmark. `source` is where its questions come from: installed files, drawings, or null where files are needed."""

    name: str
    chief: str
    judged: bool
    source: Literal["files", "drawings"] | None


@router.post("/v1/evaluations", status_code=202, response_model=JobBody)
def create_evaluation(request: Request, web: WebPart, tx: Tx, _: JobsCaller, body: EvaluationIn) -> JSONResponse:
    """Measure models; the job's result names the evaluations, the one with the comparison first."""
    job = evaluating.evaluate(
        tx,
        body.order(),
        remote_model=web.settings.vlm_model,
        teachers=web.settings.teachers,
        idempotency_key=getattr(request.state, "idempotency_key", None),
    )
    return accepted(job)


@router.get("/v1/evaluations")
def list_evaluations(tx: Tx, _: AnyCaller, page: PageOf) -> ListBody[EvaluationBody]:
    """List evaluations, newest first."""
    return list_body(EvaluationRepository(tx).list_after(limit=page.limit, after=page.after), evaluation_body)


@router.get("/v1/evaluations/{evaluation_id}", response_model=EvaluationBody, response_model_exclude_unset=True)
def get_evaluation(
    tx: Tx,
    _: AnyCaller,
    evaluation_id: UUID,
    format: Annotated[Literal["json", "html"], Query()] = "json",
    include: Annotated[Literal["items"] | None, Query()] = None,
    after: Annotated[int, Query(ge=-1, description="with `include=items`: behind this position")] = -1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response | EvaluationBody:
    """Show one evaluation with its report; `format=html` is the comparison as a page, `include=items` adds the answers."""
    repository = EvaluationRepository(tx)
    row = repository.get(evaluation_id)
    if format == "html":
        return HTMLResponse(evaluating.html_page(tx, row), headers=_PAGE_HEADERS)
    body = evaluation_body(row)
    if include == "items":
        items = repository.items(evaluation_id, after=after, limit=limit)
        body["items"] = [evaluation_item_body(item) for item in items]
    return body


@router.get(
    "/v1/evaluations/{evaluation_id}/items/{position}/picture",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def get_picture(tx: Tx, _: AnyCaller, evaluation_id: UUID, position: Annotated[int, Path(ge=0, lt=2**31)]) -> Response:
    """Show what the model saw, small, where its answer is among the worst."""
    data = EvaluationRepository(tx).picture(evaluation_id, position)
    return Response(data, media_type="image/webp", headers=CONTENT_HEADERS)


@router.get("/v1/benchmarks")
def list_benchmarks(web: WebPart, _: AnyCaller) -> dict[str, list[BenchmarkBody]]:
    """List the benchmarks: what each is measured by, and where its questions would come from now."""
    known = evaluating.benchmarks(web.settings.benchmarks_folder)
    return {
        "data": [{"name": one.name, "chief": one.chief, "judged": one.judged, "source": one.source} for one in known]
    }
