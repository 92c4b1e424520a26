"""/v1/findings: rank images by how surely marks are painted on them, and look at the surest."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from app.catalog.session import transaction
from app.formats.bodies import JobBody
from app.formats.finding_bodies import FindingBody, finding_body
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, WebPart
from app.http.schemas.finding import FindingIn
from app.http.waiting import accepted
from app.services import finding
from models.finder.gallery import policy

router = APIRouter(tags=["learning"])


@router.post("/v1/findings", status_code=202, response_model=JobBody)
def create_finding(request: Request, tx: Tx, _: JobsCaller, body: FindingIn) -> JSONResponse:
    """Search images for painted marks with a finder, one job item per image; the job's id is the finding's."""
    key = getattr(request.state, "idempotency_key", None)
    return accepted(finding.find(tx, body.model_dump(mode="json"), idempotency_key=key))


@router.get("/v1/findings/{finding_id}", response_model=FindingBody)
def get_finding(
    web: WebPart,
    caller: AnyCaller,
    finding_id: UUID,
    page: PageOf,
    format: Annotated[Literal["json", "html"], Query()] = "json",
) -> Response | FindingBody:
    """Show the ranking, the surest first, as far as it goes; `format=html` is a gallery of the same page of it, to be judged by eye."""
    with transaction(web.engine, caller.tenant_id) as session:
        job = finding.job_of(session, finding_id)
        rows, more = finding.candidates(session, job, limit=page.limit, after=page.after)
        ranked = finding.with_images(session, rows) if format == "html" else []
    if format == "html":
        return HTMLResponse(finding.gallery(web.blobs, job, ranked), headers={"Content-Security-Policy": policy()})
    return finding_body(job, rows, more=more)
