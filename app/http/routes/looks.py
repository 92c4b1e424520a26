"""/v1/looks: where a model looks in a marked picture."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from typing_extensions import TypedDict

from app.catalog.session import transaction
from app.http.deps import JobsCaller, Web, WebPart, wait_of
from app.http.schemas.looking import LookIn
from app.http.waiting import Ordered, respond
from app.services import looking
from app.services.keys import Caller

router = APIRouter(tags=["learning"])


class LookBody(TypedDict):
    """Where a model looked. `weights` are rows of a grid over the square that it sees: the picture in its middle, its long side as wide.

    They sum to 1; `words` are the tokens whose attention it is the mean of.
    """

    object: str
    mark_set_id: str
    model: str
    words: list[str]
    weights: list[list[float]]


@router.post("/v1/looks", response_model=LookBody, responses={202: {}})
async def create_look(request: Request, web: WebPart, caller: JobsCaller, body: LookIn) -> JSONResponse:
    """See which parts of a marked picture the words of a question, or of an answer, look at. The model's weights must be here."""
    key = getattr(request.state, "idempotency_key", None)
    wait_s = wait_of(request)
    return await respond(web, await run_in_threadpool(_order, web, caller, body, key), wait_s)


def _order(web: Web, caller: Caller, body: LookIn, key: str | None) -> Ordered:
    remote_name = None if web.remote is None else web.remote.name()
    with transaction(web.engine, caller.tenant_id) as session:
        job = looking.order(session, body.model_dump(), remote_model=remote_name, idempotency_key=key)
    return Ordered(job=job, status=200, render=_seen)


def _seen(_: Session, result: dict[str, Any]) -> LookBody:
    look = result["look"]
    return {
        "object": "look",
        "mark_set_id": look["mark_set_id"],
        "model": look["model"],
        "words": look["words"],
        "weights": look["weights"],
    }
