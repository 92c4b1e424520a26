"""/v1/annotations and /v1/writers: have texts written about images."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.formats.annotation_bodies import AnnotationBody, WriterBody
from app.formats.bodies import JobBody
from app.http.deps import AnyCaller, JobsCaller, Tx, WebPart
from app.http.schemas.annotating import AnnotationIn
from app.http.waiting import accepted
from app.services import annotating

router = APIRouter(tags=["learning"])


@router.post("/v1/annotations", status_code=202, response_model=JobBody)
def create_annotation(request: Request, web: WebPart, tx: Tx, _: JobsCaller, body: AnnotationIn) -> JSONResponse:
    """Have texts written about images, one job item per image; `usage` of the job says what the teacher took."""
    job = annotating.annotate(
        tx,
        body.model_dump(mode="json"),
        remote_model=web.settings.vlm_model,
        teachers=web.settings.teachers,
        idempotency_key=getattr(request.state, "idempotency_key", None),
    )
    return accepted(job)


@router.get("/v1/annotations/{job_id}")
def get_annotation(tx: Tx, _: AnyCaller, job_id: UUID) -> AnnotationBody:
    """Show how a job's texts came to be, per writer, mode, prompt and teacher: first-try passes, tries, tokens, failed checks."""
    return annotating.report(tx, job_id)


@router.get("/v1/writers")
def list_writers(_: AnyCaller) -> dict[str, list[WriterBody]]:
    """List the writers: which kinds of text they write, in which modes, with which options, and what they need."""
    return {"data": annotating.writers()}
