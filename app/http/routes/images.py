"""/v1/images: let an image in, show it, delete it. Looking for images is `gallery`'s."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.catalog.tables import ImageRow
from app.errors import Unprocessable
from app.formats.bodies import ImageBody, image_body
from app.http.body import Upload, openapi_body, read_body
from app.http.deps import MarkCaller, Tx, Web, WebPart
from app.http.schemas.images import ImageById, ImageByUrl, ImageIn, ImageRef
from app.imaging.encode import cut_out
from app.services import thumbnails
from app.services.forgetting import Forgetting
from app.services.images import ImageDoor
from app.services.keys import Caller

router = APIRouter(tags=["images"])

_CUT = r"^[0-9]{1,6}(,[0-9]{1,6}){3}$"

# A picture somebody sent is shown as a picture and as nothing else, whoever opens it.
CONTENT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, max-age=31536000, immutable",
}


def door_of(web: Web) -> ImageDoor:
    """What it takes to let an image in."""
    return ImageDoor(engine=web.engine, blobs=web.blobs, decoder=web.decoder, fetch_policy=web.fetch_policy)


def accept(
    web: Web, caller: Caller, ref: ImageRef | None, upload: Upload | None, labels: list[str]
) -> tuple[ImageRow, bool]:
    """Resolve an image reference or a multipart file to a stored image; blocking."""
    door = door_of(web)
    if (ref is None) == (upload is None):
        raise Unprocessable("Give one image: `image` in JSON, or the part `file` in multipart.")
    if upload is not None:
        return door.from_bytes(caller.tenant_id, upload.data, labels, key_id=caller.key_id)
    if isinstance(ref, ImageById):
        with transaction(web.engine, caller.tenant_id) as session:
            images = ImageRepository(session)
            row = images.get(ref.id)
            images.add_labels(row.id, labels)
            return row, False
    if isinstance(ref, ImageByUrl):
        return door.from_url(caller.tenant_id, ref.url, labels, key_id=caller.key_id)
    if ref is None:
        raise Unprocessable("Give an image.")
    return door.from_base64(caller.tenant_id, ref.data, labels, key_id=caller.key_id)


@router.post("/v1/images", status_code=201, response_model=ImageBody, openapi_extra=openapi_body(ImageIn))
async def create_image(request: Request, web: WebPart, caller: MarkCaller) -> JSONResponse:
    """Store an image; 200 if these bytes are known."""
    body, upload = await read_body(request, ImageIn)
    row, new = await run_in_threadpool(accept, web, caller, body.image, upload, body.labels)
    return JSONResponse(image_body(row), 201 if new else 200, {"Location": f"/v1/images/{row.id}"})


@router.get("/v1/images/{image_id}")
def get_image(tx: Tx, _: MarkCaller, image_id: UUID) -> ImageBody:
    """Show one image."""
    return image_body(ImageRepository(tx).get(image_id))


@router.get("/v1/images/{image_id}/content", response_class=Response, responses={200: {"content": {"image/png": {}}}})
def get_content(
    web: WebPart,
    caller: MarkCaller,
    image_id: UUID,
    cut: Annotated[str | None, Query(pattern=_CUT, description="x0,y0,x1,y1: only this part, in pixels")] = None,
) -> Any:
    """Show the pixels: our own re-encoded copy, upright and without metadata."""
    with transaction(web.engine, caller.tenant_id) as session:
        row = ImageRepository(session).get(image_id)
    data = web.blobs.get(row.blob_key)
    if cut is not None:
        x0, y0, x1, y1 = (int(value) for value in cut.split(","))
        if not (x0 < min(x1, row.width) and y0 < min(y1, row.height)):
            raise Unprocessable(f"`cut` has no area inside this image of {row.width} x {row.height} pixels.")
        data = cut_out(data, (x0, y0, x1, y1))
    return Response(data, media_type="image/png", headers=CONTENT_HEADERS)


@router.get(
    "/v1/images/{image_id}/thumbnail", response_class=Response, responses={200: {"content": {"image/webp": {}}}}
)
def get_thumbnail(web: WebPart, caller: MarkCaller, image_id: UUID, size: thumbnails.Side = "320") -> Response:
    """Show a small copy, its long side at most `size` pixels."""
    with transaction(web.engine, caller.tenant_id) as session:
        row = ImageRepository(session).get(image_id)
    data = thumbnails.of_image(web.blobs, row, int(size))
    return Response(data, media_type=thumbnails.ENCODING.media_type, headers=CONTENT_HEADERS)


@router.delete("/v1/images/{image_id}", status_code=204, response_class=Response)
def delete_image(web: WebPart, caller: MarkCaller, image_id: UUID) -> Response:
    """Delete an image with its mark sets, answers and pictures; refused while a dataset holds a text about it."""
    Forgetting(engine=web.engine, blobs=web.blobs, tenant_id=caller.tenant_id).image(image_id)
    return Response(status_code=204)
