"""/v1/ground, also at /ground: ask about an image and get answers whose marks are resolved. /v1/answers shows them again."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from app.catalog.answers import AnswerRepository
from app.formats.answer_types import AnswerBody, AnswerList
from app.formats.bodies import JobBody
from app.http import asking
from app.http.asking import Posed
from app.http.body import openapi_body, read_body
from app.http.deps import GroundCaller, PageOf, Tx, WebPart, wait_of
from app.http.lists import ListBody, list_body
from app.http.schemas.ground import GroundIn
from app.http.streaming import STILL_HERE, event, stream
from app.http.timing import server_timing
from app.http.waiting import StillRunning, accepted
from app.services.telling import Event
from app.telemetry.metrics import answered

router = APIRouter(tags=["ground"])

_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": AnswerBody | AnswerList, "description": "The answer, or the answers to `queries` in their order."},
    202: {"model": JobBody, "description": "It takes longer than was waited for; the job's result names the answer."},
    503: {},
    504: {},
}


@router.post("/v1/ground", openapi_extra=openapi_body(GroundIn), responses=_RESPONSES)
@router.post("/ground", include_in_schema=False)
async def ground(request: Request, web: WebPart, caller: GroundCaller) -> Response:
    """Answer a question about a marked image; with `stream` as events, while the model writes.

    The record of an answer can be read under `/v1/answers` as soon as the answer is given. It is on disk before the response where a
    worker answered or an `Idempotency-Key` was sent; where the API asked a model server itself, within a second: a crash of the
    database in that second may take the record with it.
    """
    body, upload = await read_body(request, GroundIn)
    posed = Posed(
        web=web,
        caller=caller,
        body=body,
        upload=upload,
        idempotency_key=getattr(request.state, "idempotency_key", None),
        wait_s=wait_of(request),
    )
    if body.stream:
        return stream(_written(await asking.begin(posed)))
    try:
        bodies = await asking.answer(posed)
    except StillRunning as late:
        return accepted(late.job)
    answered(bodies)
    return JSONResponse(one_or_list(bodies, many=posed.many), headers=server_timing(bodies))


def one_or_list(bodies: list[dict[str, Any]], *, many: bool) -> Any:
    """An answer, or the list of them where several queries were asked."""
    return {"object": "list", "data": bodies, "has_more": False, "next_cursor": None} if many else bodies[0]


async def _written(events: AsyncIterator[Event | None]) -> AsyncIterator[str]:
    async for told in events:
        yield STILL_HERE if told is None else event(told.name, told.data)


@router.get("/v1/answers", responses={200: {"model": ListBody[AnswerBody]}})
def list_answers(
    tx: Tx, _: GroundCaller, page: PageOf, mark_set_id: Annotated[UUID | None, Query()] = None
) -> ListBody[dict[str, Any]]:
    """List answers, newest first, optionally about one mark set."""
    rows = AnswerRepository(tx).list_after(limit=page.limit, after=page.after, mark_set_id=mark_set_id)
    return list_body(rows, lambda row: row.body)


@router.get("/v1/answers/{answer_id}", responses={200: {"model": AnswerBody}})
def get_answer(tx: Tx, _: GroundCaller, answer_id: UUID) -> dict[str, Any]:
    """Show one answer exactly as it was given."""
    return AnswerRepository(tx).get(answer_id).body
