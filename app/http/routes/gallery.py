"""/v1/images as a whole and /v1/labels: look for images by labels and words, label many, delete many."""

from typing import Annotated, Literal, NotRequired

from fastapi import APIRouter, Query
from fastapi.responses import Response
from typing_extensions import TypedDict

from app.catalog.gallery import Gallery, Wanted
from app.catalog.images import ImageRepository
from app.catalog.session import transaction
from app.formats.bodies import ImageBody, image_body
from app.http.deps import MarkCaller, PageOf, Tx, WebPart
from app.http.lists import ListBody, as_it_is, list_body
from app.http.schemas.images import DeletedIn
from app.http.schemas.learning import RelabelIn
from app.services.forgetting import Forgetting
from app.services.learning import select_images

router = APIRouter(tags=["images"])

Prefix = Annotated[str, Query(max_length=200, description="only labels that begin with this")]


class ImageList(TypedDict):
    """A page of images; `total` comes with `include=total`."""

    data: list[ImageBody]
    has_more: bool
    next_cursor: str | None
    total: NotRequired[int]


class LabelCountBody(TypedDict):
    """A label and how many images carry it."""

    label: str
    images: int


class RelabelledBody(TypedDict):
    """How many images have other labels now."""

    object: str
    changed: int


class KeptBody(TypedDict):
    """An image that was not deleted, and why."""

    id: str
    reason: str


class DeletedBody(TypedDict):
    """What became of images that were to go."""

    object: str
    deleted: list[str]
    missing: list[str]
    kept: list[KeptBody]


@router.get("/v1/images", response_model=ImageList)
def list_images(
    web: WebPart,
    caller: MarkCaller,
    page: PageOf,
    label: Annotated[
        list[str] | None, Query(max_length=20, description="several: images that carry all of them")
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=200,
            description="all of these words, or what begins so, in one text, answer or mark of the image",
        ),
    ] = None,
    include: Annotated[Literal["total"] | None, Query()] = None,
) -> Response:
    """List images, newest first: all, or those with labels and words. With `include=total` also says how many there are."""
    wanted = Wanted(labels=label or (), words=q or None)
    with transaction(web.engine, caller.tenant_id) as session:
        if wanted == Wanted():
            found = ImageRepository(session).list_after(limit=page.limit, after=page.after)
        else:
            found = Gallery(session).page(wanted, limit=page.limit, after=page.after)
        total = Gallery(session).total(wanted) if include == "total" else None
    listed = list_body(found, image_body)
    return as_it_is(listed if total is None else {**listed, "total": total})


@router.patch("/v1/images")
def relabel_images(tx: Tx, _: MarkCaller, body: RelabelIn) -> RelabelledBody:
    """Add labels to many images and take others away; labels that are there, or not there, already are left as they are."""
    ids = select_images(tx, body.images.model_dump())
    changed = Gallery(tx).relabel(ids, add=body.add_labels, remove=body.remove_labels)
    return {"object": "images", "changed": changed}


@router.post("/v1/images/delete")
def delete_images(web: WebPart, caller: MarkCaller, body: DeletedIn) -> DeletedBody:
    """Delete up to 100 images, each with its mark sets, answers and pictures; one that a dataset holds a text about is kept."""
    told = Forgetting(engine=web.engine, blobs=web.blobs, tenant_id=caller.tenant_id).images(body.ids)
    return {
        "object": "images",
        "deleted": [str(one) for one in told.deleted],
        "missing": [str(one) for one in told.missing],
        "kept": [{"id": str(one), "reason": reason} for one, reason in told.kept.items()],
    }


@router.get("/v1/labels")
def list_labels(
    tx: Tx,
    _: MarkCaller,
    q: Prefix = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[str | None, Query(max_length=200, description="a label")] = None,
) -> ListBody[LabelCountBody]:
    """List the labels of images by name, each with how many images carry it."""
    found = Gallery(tx).labels(prefix=q, limit=limit + 1, after=after)
    shown, more = found[:limit], len(found) > limit
    return {
        "data": [{"label": one.label, "images": one.images} for one in shown],
        "has_more": more,
        "next_cursor": shown[-1].label if more else None,
    }
