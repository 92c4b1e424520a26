"""`Idempotency-Key` on every POST: the same key and body replays the stored response.

A key is remembered per tenant and path together with a fingerprint of the body. Only successes are stored: what was
refused may be sent again. While the first request runs its lock is renewed; when its process dies the lock runs out
and a repeat carries on with the job that the key already names (jobs are unique per key), so nothing is done twice.
"""

import asyncio
import contextlib
import hashlib
import logging
from dataclasses import dataclass
from uuid import UUID

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.catalog.idempotency import IdempotencyRepository, StoredResponse
from app.catalog.session import NO_DATABASE, transaction
from app.errors import BadRequest, IdempotencyBusy, IdempotencyMismatch
from app.http.deps import Web, caller_of
from app.services.keys import Caller

log = logging.getLogger(__name__)

LOCK_S = 15
RENEW_S = 5
MAX_KEY_CHARACTERS = 255
KEPT_HEADERS = ("content-type", "location", "retry-after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What identifies one idempotent request."""

    web: Web
    tenant_id: UUID
    route: str
    key: str
    fingerprint: str


class Idempotency:
    """ASGI middleware; requests without the header pass untouched. Its refusals are raised, for the handlers of `problems`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        request = Request(scope) if scope["type"] == "http" else None
        if request is None or request.method != "POST" or "idempotency-key" not in request.headers:
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        caller = await caller_of(request, request.app.state.web)
        known, stored = await run_in_threadpool(_begin, request, caller, body)
        if stored is not None:
            headers = {**stored.headers, "Idempotent-Replayed": "true"}
            await Response(stored.body, stored.status, headers)(scope, receive, send)
            return
        scope.setdefault("state", {})["idempotency_key"] = f"{known.route} {known.key}"
        await self._run(scope, body, send, known)

    async def _run(self, scope: Scope, body: bytes, send: Send, known: Remembered) -> None:
        status, headers, streams = 500, {}, False
        held: list[Message] = []
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                await asyncio.sleep(3600)
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def record(message: Message) -> None:
            nonlocal status, headers, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
                streams = headers.get("content-type", "").startswith("text/event-stream")
            if streams:
                await send(message)
            else:
                held.append(message)

        renewal = asyncio.create_task(_renew(known))
        try:
            await self.app(scope, replay, record)
        finally:
            renewal.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewal
            keep = 200 <= status < 300 and not streams
            kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
            content = b"".join(message.get("body", b"") for message in held)
            response = StoredResponse(status=status, headers=kept, body=content) if keep else None
            await run_in_threadpool(_end, known, response)
            # Only now: whoever has the response may repeat at once, and must not meet the lock of the first try.
            for message in held:
                await send(message)


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _begin(request: Request, caller: Caller, body: bytes) -> tuple[Remembered, StoredResponse | None]:
    key = request.headers["idempotency-key"]
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not key.isprintable():
        raise BadRequest(f"`Idempotency-Key` takes 1 to {MAX_KEY_CHARACTERS} printable characters.")
    web: Web = request.app.state.web
    digest = hashlib.sha256()
    media_type = request.headers.get("content-type", "").partition(";")[0]
    for part in (request.method, request.url.path, request.url.query, media_type):
        digest.update(part.encode() + b"\0")
    digest.update(_without_boundary(request, body))
    known = Remembered(
        web=web, tenant_id=caller.tenant_id, route=request.url.path, key=key, fingerprint=digest.hexdigest()
    )
    with transaction(web.engine, caller.tenant_id) as session:
        found = IdempotencyRepository(session).begin(known.route, known.key, known.fingerprint, LOCK_S)
    if found.fingerprint != known.fingerprint:
        raise IdempotencyMismatch("Use a new key for a new request.")
    if found.response is None and not found.mine:
        raise IdempotencyBusy("Ask again when the first one has finished.")
    return known, found.response


def _without_boundary(request: Request, body: bytes) -> bytes:
    """A multipart body is the same whatever boundary the client made up this time."""
    _, found, boundary = request.headers.get("content-type", "").partition("boundary=")
    boundary = boundary.strip('" ')
    return body.replace(boundary.encode(), b"") if found and boundary else body


async def _renew(known: Remembered) -> None:
    while True:
        await asyncio.sleep(RENEW_S)
        try:
            await run_in_threadpool(_extend, known)
        except NO_DATABASE:  # the lock outlives two missed turns; the request itself says what is down
            log.warning("an idempotency lock was not renewed")


def _extend(known: Remembered) -> None:
    with transaction(known.web.engine, known.tenant_id) as session:
        IdempotencyRepository(session).extend(known.route, known.key, LOCK_S)


def _end(known: Remembered, response: StoredResponse | None) -> None:
    try:
        with transaction(known.web.engine, known.tenant_id) as session:
            IdempotencyRepository(session).end(known.route, known.key, response)
    except NO_DATABASE:  # as if the process had died here: what was answered is true, and the lock runs out
        log.warning("an idempotency lock was left to run out")
