"""/v1/datasets: freeze mixtures of texts, look at them before and after, take them away in a trainer's format."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.datasets import DatasetRepository
from app.catalog.session import transaction
from app.formats.text_bodies import (
    DatasetBody,
    DatasetItemBody,
    DatasetPreviewBody,
    dataset_body,
    dataset_item_body,
)
from app.http.deps import AnyCaller, JobsCaller, PageOf, Tx, Web, WebPart, wait_of
from app.http.lists import ListBody, list_body
from app.http.schemas.datasets import DatasetIn
from app.http.waiting import Ordered, respond
from app.services import datasets
from app.services.dataset_exports import MEDIA_TYPES, Export, Format, export_of
from app.services.import_folder import ImportFolder
from app.services.keys import Caller

router = APIRouter(tags=["learning"])

Stage = Annotated[
    str | None, Query(max_length=100, description="one stage of the recipe; without it all, in their order")
]
Shard = Annotated[int, Query(ge=0, lt=100_000)]
Shards = Annotated[int, Query(ge=1, le=100_000)]


@router.post("/v1/datasets", status_code=201, response_model=DatasetBody, responses={202: {}})
async def create_dataset(request: Request, web: WebPart, caller: JobsCaller, body: DatasetIn) -> JSONResponse:
    """Freeze a mixture of texts under the next version of its name; a large one is built by a job (202)."""
    key = getattr(request.state, "idempotency_key", None)
    wait_s = wait_of(request)
    return await respond(web, await run_in_threadpool(_order, web, caller, body, key), wait_s)


@router.post("/v1/datasets/preview", response_model=DatasetPreviewBody, responses={202: {}})
async def preview_dataset(request: Request, web: WebPart, caller: JobsCaller, body: DatasetIn) -> JSONResponse:
    """Look at a mixture before it is sealed: what `POST /v1/datasets` would make of the same body now, with a few samples."""
    key = getattr(request.state, "idempotency_key", None)
    wait_s = wait_of(request)
    return await respond(web, await run_in_threadpool(_order, web, caller, body, key, preview=True), wait_s)


def _order(web: Web, caller: Caller, body: DatasetIn, key: str | None, *, preview: bool = False) -> Ordered:
    recipe = datasets.narrowed(
        body.recipe,
        name=body.name,
        parts=body.parts,
        kinds=body.kinds,
        job_ids=body.job_ids,
        reviews=body.reviews,
        limit=body.limit,
    )
    with transaction(web.engine, caller.tenant_id) as session:
        job = datasets.order(
            session,
            recipe,
            name=body.name,
            folder=ImportFolder(web.settings),
            may_read_files="admin" in caller.scopes,
            idempotency_key=key,
            kind="dataset.preview" if preview else "dataset.build",
        )
    render, status = (_seen, 200) if preview else (_made, 201)
    return Ordered(job=job, status=status, render=render)


def _seen(_: Session, result: dict[str, Any]) -> DatasetPreviewBody:
    seen = result["preview"]
    return {
        "object": "dataset_preview",
        "recipe": seen["recipe"],
        "statistics": seen["statistics"],
        "content_sha256": seen["content_sha256"],
        "samples": seen["samples"],
    }


def _made(session: Session, result: dict[str, Any]) -> DatasetBody:
    return dataset_body(DatasetRepository(session).get(UUID(result["dataset_id"])))


@router.get("/v1/datasets")
def list_datasets(
    tx: Tx, _: AnyCaller, page: PageOf, name: Annotated[str | None, Query(max_length=100)] = None
) -> ListBody[DatasetBody]:
    """List datasets, newest first, optionally the versions of one name."""
    return list_body(DatasetRepository(tx).list_after(limit=page.limit, after=page.after, name=name), dataset_body)


@router.get("/v1/datasets/{dataset_id}")
def get_dataset(tx: Tx, _: AnyCaller, dataset_id: UUID) -> DatasetBody:
    """Show one dataset: recipe, counts, what was left out and why, and the hash of its words."""
    return dataset_body(DatasetRepository(tx).get(dataset_id))


@router.get("/v1/datasets/{dataset_id}/texts")
def list_dataset_texts(
    tx: Tx,
    _: AnyCaller,
    dataset_id: UUID,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: Annotated[int, Query(ge=-1)] = -1,
) -> ListBody[DatasetItemBody]:
    """List the exact texts of a dataset in their order, each with the words that it has there."""
    repository = DatasetRepository(tx)
    repository.get(dataset_id)
    rows = repository.items_after(dataset_id, after, limit=limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    return {
        "data": [dataset_item_body(row) for row in shown],
        "has_more": more,
        "next_cursor": str(shown[-1].position) if more else None,
    }


@router.get(
    "/v1/datasets/{dataset_id}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media_type: {} for media_type in sorted(set(MEDIA_TYPES.values()))}}},
)
def export_dataset(
    web: WebPart,
    caller: AnyCaller,
    dataset_id: UUID,
    format: Format = "llava",
    stage: Stage = None,
    shard: Shard = 0,
    shards: Shards = 1,
) -> StreamingResponse:
    """Export as LLaVA JSON, JSON lines, COCO or WebDataset, whole or one slice of several.

    `image` names `/v1/images/{id}/content` as `{id}.png` and `/v1/marksets/{id}/overlay.png` as `{id}.png` where the text
    is about the marked picture.
    """
    units = partial(transaction, web.engine, caller.tenant_id)
    export = Export(
        transaction=units,
        blobs=web.blobs,
        folder=ImportFolder(web.settings),
        dataset=export_of(units, dataset_id),
        stage=stage,
        shard=shard,
        shards=shards,
    )
    export.check(format)
    headers = {"Content-Disposition": f'attachment; filename="{export.file_name(format)}"'}
    return StreamingResponse(export.pieces(format), media_type=MEDIA_TYPES[format], headers=headers)
