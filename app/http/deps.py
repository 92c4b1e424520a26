"""What a route may ask for: the process's parts, the caller, a transaction, a page.

`Tx` commits before the response leaves: FastAPI would answer first and commit after, unless the dependency says
`scope="function"` (tests/integration/app/test_commit_before_response.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.catalog.session import transaction
from app.errors import BadRequest, Forbidden
from app.http.admission import Admission
from app.http.threads import Slots
from app.imaging.decode import ImageDecoder
from app.imaging.fetch import FetchPolicy
from app.queue.listener import JobListener
from app.services.backlog import Backlog
from app.services.direct import DirectPath
from app.services.gauges import Metrics
from app.services.keys import Caller, Callers
from app.services.remote import RemoteModel
from app.settings import Settings
from app.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The long-lived parts of the API process, made once by `app.main.create_app`."""

    settings: Settings
    engine: Engine
    callers: Callers
    blobs: BlobStore
    decoder: ImageDecoder
    fetch_policy: FetchPolicy
    listener: JobListener
    remote: RemoteModel | None
    metrics: Metrics
    direct: DirectPath | None
    remote_slots: Slots
    admission: Admission
    backlog: Backlog


async def web_of(request: Request) -> Web:
    """Return the parts of this process. Async, as it waits for nothing: FastAPI would give it a thread otherwise."""
    web: Web = request.app.state.web
    return web


WebPart = Annotated[Web, Depends(web_of)]

OPENAI_PATHS = ("/v1/chat/", "/v1/models")
"""OpenAI's clients refuse to start without some key; where none is needed, what they send there need not be one."""


async def caller_of(request: Request, web: WebPart) -> Caller:
    """Return who calls, let in; raises Unauthorised, TooManyRequests, Overloaded.

    Found out once per request, whoever asks first, and in a thread only if that waits.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is None:
        shown = request.headers.get("authorization")
        made_up = request.url.path.startswith(OPENAI_PATHS)
        key = web.callers.fingerprint(shown, made_up_allowed=made_up)
        # Called by `RequestFrame` when the response is out, or the client gone.
        request.state.leave = web.admission.enter(key, works=request.method == "POST")
        known = web.callers.at_hand(shown, made_up_allowed=made_up)
        if known is None:
            known = await run_in_threadpool(web.callers.find, shown, made_up_allowed=made_up)
        request.state.caller = known
    return known


AnyCaller = Annotated[Caller, Depends(caller_of)]


class Scope:
    """A dependency that lets only callers with one scope pass; raises Forbidden."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, caller: AnyCaller) -> Caller:
        """Return the caller if the key carries the scope."""
        if self.scope not in caller.scopes:
            raise Forbidden(f"The key lacks the scope `{self.scope}`.")
        return caller


MarkCaller = Annotated[Caller, Depends(Scope("mark"))]
GroundCaller = Annotated[Caller, Depends(Scope("ground"))]
JobsCaller = Annotated[Caller, Depends(Scope("jobs"))]
AdminCaller = Annotated[Caller, Depends(Scope("admin"))]


def _tx(web: WebPart, caller: AnyCaller) -> Iterator[Session]:
    with transaction(web.engine, caller.tenant_id) as session:
        yield session


Tx = Annotated[Session, Depends(_tx, scope="function")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """`?limit=&after=` of every list."""

    limit: int
    after: str | None


def _paging(
    limit: Annotated[int, Query(ge=1, le=500)] = 50, after: Annotated[str | None, Query(max_length=100)] = None
) -> Paging:
    return Paging(limit=limit, after=after)


PageOf = Annotated[Paging, Depends(_paging)]

LONGEST_WAIT_S = 120
USUAL_WAIT_S = 30


def wait_of(request: Request) -> float:
    """How long this POST may wait for a worker: 0 for `Prefer: respond-async`, else `wait=N` (at most 120)."""
    wait_s: float = USUAL_WAIT_S
    for preference in request.headers.get("prefer", "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "respond-async":
            return 0
        if name.lower() == "wait":
            if not value.strip().isdigit():
                raise BadRequest("`Prefer: wait=N` takes whole seconds.")
            wait_s = min(int(value), LONGEST_WAIT_S)
    return wait_s


def uuid_of(value: str, noun: str) -> UUID:
    """Read an id from a form or a name; raises BadRequest."""
    try:
        return UUID(value)
    except ValueError:
        raise BadRequest(f"This is not the id of a {noun}.") from None
