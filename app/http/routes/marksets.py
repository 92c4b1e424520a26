"""/v1/marksets: mark an image, show the marks and the marked picture, correct and export them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.mark_sets import MarkSetRepository, regions_of
from app.catalog.session import transaction
from app.formats.bodies import MarkSetBody, mark_set_body
from app.formats.exports import Format, export
from app.http.body import Upload, openapi_body, read_body
from app.http.deps import MarkCaller, PageOf, Tx, Web, WebPart, wait_of
from app.http.lists import ListBody, as_it_is, list_body
from app.http.routes.images import CONTENT_HEADERS, accept
from app.http.schemas.marksets import MarkPatchIn, MarkSetIn, RevisionIn
from app.http.waiting import Ordered, respond
from app.imaging.encode import Encoding, encode, read_canonical
from app.services import corrections, marking, thumbnails
from app.services.keys import Caller
from app.services.overlays import restyled

router = APIRouter(tags=["marks"])

Include = Annotated[Literal["masks"] | None, Query()]


def render_mark_set(session: Session, mark_set_id: UUID, *, cached: bool, masks: bool) -> MarkSetBody:
    """The body of one mark set."""
    row, marks = marking.shown(session, mark_set_id, masks=masks)
    return mark_set_body(row, marks, cached=cached, masks=masks)


@router.post("/v1/marksets", status_code=201, response_model=MarkSetBody, openapi_extra=openapi_body(MarkSetIn))
async def create_mark_set(request: Request, web: WebPart, caller: MarkCaller, include: Include = None) -> JSONResponse:
    """Mark an image; 200 when the same settings marked it before."""
    body, upload = await read_body(request, MarkSetIn)
    wait_s = wait_of(request)
    key = getattr(request.state, "idempotency_key", None)
    made = await run_in_threadpool(_order, web, caller, body, upload, key, include == "masks")
    return await respond(web, made, wait_s) if isinstance(made, Ordered) else JSONResponse(made, 200)


def _order(
    web: Web, caller: Caller, body: MarkSetIn, upload: Upload | None, key: str | None, masks: bool
) -> MarkSetBody | Ordered:
    settings = marking.canonical_settings(body.model_dump(mode="json", exclude={"image"}))
    image, _ = accept(web, caller, body.image, upload, [])

    def render(session: Session, result: dict[str, Any]) -> MarkSetBody:
        return render_mark_set(session, UUID(result["mark_set_id"]), cached=False, masks=masks)

    with transaction(web.engine, caller.tenant_id) as session:
        known = marking.find(session, image.id, settings)
        if known is not None:
            return render_mark_set(session, known.id, cached=True, masks=masks)
        web.backlog.check()
        job = marking.order(session, image.id, settings, key)
    return Ordered(job=job, status=201, render=render)


@router.get("/v1/marksets", response_model=ListBody[MarkSetBody])
def list_mark_sets(
    web: WebPart, caller: MarkCaller, page: PageOf, image_id: Annotated[UUID | None, Query()] = None
) -> Response:
    """List mark sets, newest first, optionally of one image."""
    with transaction(web.engine, caller.tenant_id) as session:
        found = marking.shown_page(session, limit=page.limit, after=page.after, image_id=image_id)
    return as_it_is(list_body(found, lambda parts: mark_set_body(*parts, cached=True)))


@router.get("/v1/marksets/{mark_set_id}", response_model=MarkSetBody)
def get_mark_set(web: WebPart, caller: MarkCaller, mark_set_id: UUID, include: Include = None) -> Response:
    """Show one mark set."""
    with transaction(web.engine, caller.tenant_id) as session:
        body = render_mark_set(session, mark_set_id, cached=True, masks=include == "masks")
    return as_it_is(body)


@router.get(
    "/v1/marksets/{mark_set_id}/overlay.{extension}",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/webp": {}, "image/jpeg": {}}}},
)
def get_overlay(
    web: WebPart,
    caller: MarkCaller,
    mark_set_id: UUID,
    extension: Literal["png", "webp", "jpg"],
    style: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Show the marked picture, in its own style or, with the same ids, in another one."""
    encoding = {"png": Encoding.PNG, "webp": Encoding.WEBP, "jpg": Encoding.JPEG}[extension]
    if style is None:
        with transaction(web.engine, caller.tenant_id) as session:
            key = MarkSetRepository(session).get(mark_set_id).overlay_blob_key
        painted = web.blobs.get(key)
        if encoding is Encoding.PNG:
            return Response(painted, media_type="image/png", headers=CONTENT_HEADERS)
        overlay = read_canonical(painted)
    else:
        with transaction(web.engine, caller.tenant_id) as session:
            row, marks, image = marking.whole(session, mark_set_id)
        overlay = restyled(read_canonical(web.blobs.get(image.blob_key)), row, marks, style)
    return Response(encode(overlay, encoding), media_type=encoding.media_type, headers=CONTENT_HEADERS)


@router.get(
    "/v1/marksets/{mark_set_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/webp": {}}}}
)
def get_thumbnail(web: WebPart, caller: MarkCaller, mark_set_id: UUID, size: thumbnails.Side = "320") -> Response:
    """Show a small copy of the marked picture, its long side at most `size` pixels."""
    with transaction(web.engine, caller.tenant_id) as session:
        row = MarkSetRepository(session).get(mark_set_id)
    data = thumbnails.of_mark_set(web.blobs, row, int(size))
    return Response(data, media_type=thumbnails.ENCODING.media_type, headers=CONTENT_HEADERS)


@router.get("/v1/marksets/{mark_set_id}/export")
def export_mark_set(tx: Tx, _: MarkCaller, mark_set_id: UUID, format: Format, include: Include = None) -> Response:
    """Export the regions in another tool's format; with `include=masks` YOLO's rows are outlines instead of boxes.

    What comes out may be posted as `regions` again. The names of YOLO's classes are in the header `X-Class-Names`,
    up to 4,000 characters.
    """
    _row, marks, image = marking.whole(tx, mark_set_id)
    regions = regions_of((image.height, image.width), marks)
    names = [mark.mark for mark in marks]
    text, media_type, headers = export(format, regions, names, f"{image.id}.png", masks=include == "masks")
    return Response(text, media_type=media_type, headers=headers)


@router.patch("/v1/marksets/{mark_set_id}/marks/{mark}", status_code=201)
def correct_mark(web: WebPart, caller: MarkCaller, mark_set_id: UUID, mark: str, body: MarkPatchIn) -> MarkSetBody:
    """Correct a mark; the answer is a new mark set, a revision of this one."""
    changes = body.model_dump(mode="json", exclude_unset=True)
    revision_id = corrections.correct(web.engine, web.blobs, caller.tenant_id, mark_set_id, mark, changes)
    with transaction(web.engine, caller.tenant_id) as session:
        return render_mark_set(session, revision_id, cached=False, masks=False)


@router.post("/v1/marksets/{mark_set_id}/revisions", status_code=201)
def revise_mark_set(
    web: WebPart, caller: MarkCaller, mark_set_id: UUID, body: RevisionIn, include: Include = None
) -> MarkSetBody:
    """Delete, merge, split or add marks; the answer is a new mark set, a revision of this one, which stays as it is."""
    change = body.model_dump(mode="json", exclude_none=True)
    revision_id = corrections.revise(web.engine, web.blobs, caller.tenant_id, mark_set_id, change)
    with transaction(web.engine, caller.tenant_id) as session:
        return render_mark_set(session, revision_id, cached=False, masks=include == "masks")
