"""/v1/ground, also at /ground: ask about an image and get answers whose marks are resolved. /v1/answers shows them again."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.answers import AnswerRepository
from app.catalog.session import transaction
from app.errors import Unavailable, Unprocessable
from app.http.body import Upload, openapi_body, read_body
from app.http.deps import GroundCaller, PageOf, Tx, Web, WebPart, wait_of
from app.http.lists import ListBody, list_body
from app.http.routes.images import accept
from app.http.schemas.ground import GroundIn
from app.http.schemas.marksets import MarksIn
from app.http.streaming import answer_events, stream
from app.http.waiting import Ordered, respond
from app.services import grounding, marking
from app.services.keys import Caller

router = APIRouter(tags=["ground"])


@router.post("/v1/ground", openapi_extra=openapi_body(GroundIn), responses={202: {}, 503: {}})
@router.post("/ground", include_in_schema=False)
async def ground(request: Request, web: WebPart, caller: GroundCaller) -> Response:
    """Answer a question about a marked image."""
    body, upload = await read_body(request, GroundIn)
    wait_s = wait_of(request)
    if body.deadline_ms is not None:
        wait_s = min(wait_s, body.deadline_ms / 1000)
    if wait_s > 0 and upload is None and not body.stream and (answer := await _directly(web, caller, body)) is not None:
        return JSONResponse(answer)
    key = getattr(request.state, "idempotency_key", None)
    ordered = await run_in_threadpool(_order, web, caller, body, upload, key, wait_s > 0)
    if body.stream:
        return stream(answer_events(web, ordered))
    return await respond(request, web, ordered, wait_s)


async def _directly(web: Web, caller: Caller, body: GroundIn) -> Any:
    """Ask the remote model from here if the question is about an existing mark set; None if a worker has to."""
    path, mark_set_id = web.direct, body.mark_set_id
    if path is None or mark_set_id is None:
        return None
    if web.remote_slots.statistics().tasks_waiting >= web.remote_slots.total_tokens:
        raise Unavailable("Every slot of the model is taken and as many requests wait.", retry_after_s=2)
    ask = partial(path.answer, caller.tenant_id, mark_set_id, _question(body))
    bodies = await to_thread.run_sync(ask, limiter=web.remote_slots)
    return None if bodies is None else _one_or_list(body, bodies)


def _question(body: GroundIn) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude={"image", "mark_set_id", "marks", "stream"})


def _one_or_list(body: GroundIn, bodies: list[dict[str, Any]]) -> Any:
    many = body.queries is not None
    return {"object": "list", "data": bodies, "has_more": False, "next_cursor": None} if many else bodies[0]


def _order(
    web: Web, caller: Caller, body: GroundIn, upload: Upload | None, key: str | None, synchronous: bool
) -> Ordered:
    image_id: UUID | None = None
    if body.mark_set_id is None:
        image, _ = accept(web, caller.tenant_id, body.image, upload, [])
        image_id = image.id
    elif upload is not None:
        raise Unprocessable("Give a `file` or a `mark_set_id`, not both.")
    settings = marking.canonical_settings((body.marks or MarksIn()).model_dump(mode="json"))
    with transaction(web.engine, caller.tenant_id) as session:
        job = grounding.order(
            session,
            image_id=image_id,
            mark_set_id=body.mark_set_id,
            settings=settings,
            question=_question(body),
            synchronous=synchronous,
            remote_model=None if web.remote is None else web.remote.name(),
            idempotency_key=key,
        )

    def render(session: Session, result: dict[str, Any]) -> Any:
        answers = AnswerRepository(session)
        return _one_or_list(body, [answers.get(UUID(answer_id)).body for answer_id in result["answer_ids"]])

    return Ordered(tenant_id=caller.tenant_id, job_id=job.id, status=200, render=render)


@router.get("/v1/answers")
def list_answers(
    tx: Tx, _: GroundCaller, page: PageOf, mark_set_id: Annotated[UUID | None, Query()] = None
) -> ListBody[dict[str, Any]]:
    """List answers, newest first, optionally about one mark set."""
    rows = AnswerRepository(tx).list_after(limit=page.limit, after=page.after, mark_set_id=mark_set_id)
    return list_body(rows, lambda row: row.body)


@router.get("/v1/answers/{answer_id}")
def get_answer(tx: Tx, _: GroundCaller, answer_id: UUID) -> dict[str, Any]:
    """Show one answer exactly as it was given."""
    return AnswerRepository(tx).get(answer_id).body
