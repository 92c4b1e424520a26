"""/v1/imports: take in images and what published annotation files say about them."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from app.catalog.session import transaction
from app.formats.bodies import JobBody
from app.http.body import Upload, openapi_body, read_body
from app.http.deps import JobsCaller, Web, WebPart
from app.http.schemas.imports import ImportIn
from app.http.waiting import accepted
from app.services import imports
from app.services.keys import Caller

router = APIRouter(tags=["learning"])


@router.post("/v1/imports", status_code=202, response_model=JobBody, openapi_extra=openapi_body(ImportIn))
async def create_import(request: Request, web: WebPart, caller: JobsCaller) -> JSONResponse:
    """Read annotation files: a job with one item per record, whose errors name their records."""
    body, upload = await read_body(request, ImportIn)
    key = getattr(request.state, "idempotency_key", None)
    return await run_in_threadpool(_order, web, caller, body, upload, key)


def _order(web: Web, caller: Caller, body: ImportIn, upload: Upload | None, key: str | None) -> JSONResponse:
    uploaded = None if upload is None else imports.store_upload(web.blobs, caller.tenant_id, upload.data)
    with transaction(web.engine, caller.tenant_id) as session:
        job = imports.order(
            session,
            body.order(),
            caller=caller,
            settings=web.settings,
            uploaded=uploaded,
            idempotency_key=key,
        )
    return accepted(job)
