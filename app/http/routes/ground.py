"""/v1/ground, also at /ground: ask about an image and get answers whose marks are resolved. /v1/answers shows them again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.answers import AnswerRepository
from app.catalog.session import transaction
from app.errors import Unprocessable
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
    key = getattr(request.state, "idempotency_key", None)
    ordered = await run_in_threadpool(_order, web, caller, body, upload, key, wait_s > 0)
    if body.stream:
        return stream(answer_events(web, ordered))
    return await respond(request, web, ordered, wait_s)


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
    question = body.model_dump(mode="json", exclude={"image", "mark_set_id", "marks", "stream"})
    many = body.queries is not None
    with transaction(web.engine, caller.tenant_id) as session:
        job = grounding.order(
            session,
            image_id=image_id,
            mark_set_id=body.mark_set_id,
            settings=settings,
            question=question,
            synchronous=synchronous,
            remote_model=web.settings.vlm_model,
            idempotency_key=key,
        )

    def render(session: Session, result: dict[str, Any]) -> Any:
        answers = AnswerRepository(session)
        bodies = [answers.get(UUID(answer_id)).body for answer_id in result["answer_ids"]]
        return {"object": "list", "data": bodies, "has_more": False, "next_cursor": None} if many else bodies[0]

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
