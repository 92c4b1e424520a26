"""What happens to every request before a route sees it: a request id, a cap on the body, a line in the log.

Plain ASGI, so that streaming and aborted requests pass through untouched.
"""

import asyncio
import logging
import re
import secrets
import time

from opentelemetry.trace import SpanKind
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BodyTimeout, PayloadTooLarge
from app.http.problems import refusal
from app.telemetry.context import bound
from app.telemetry.metrics import request_done
from app.telemetry.traces import span

log = logging.getLogger("markwise.access")

# 20 MiB of picture as base64 is 28 MB; the rest of a body is small.
MAX_BODY_BYTES = 30_000_000
# At this cap 4 Mbit/s; a slower line sends a smaller picture.
BODY_S = 60.0
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestFrame:
    """Gives the request an id, refuses bodies over the cap before and while they are read, logs one line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 500
        method = scope["method"]

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", request_id.encode()))
            await send(message)

        came_from = {"traceparent": request.headers.get("traceparent", "")}
        with bound(request_id=request_id), span(method, SpanKind.SERVER, parent=came_from) as traced:
            try:
                declared = request.headers.get("content-length", "0")
                if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
                    await too_large(request)(scope, receive, send_with_id)
                else:
                    await self.app(scope, _capped(receive), send_with_id)
            finally:
                leave = scope["state"].get("leave")
                if leave is not None:
                    leave()
                elapsed_s = time.perf_counter() - started
                route = getattr(scope.get("route"), "path", "unknown")
                traced.update_name(f"{method} {route}")
                traced.set_attributes({"http.route": route, "http.response.status_code": status})
                request_done(route, method, status, elapsed_s)
                log.info("%s %s %d %.1f ms", method, scope["path"], status, 1000 * elapsed_s)


def too_large(request: Request) -> Response:
    """Refuse a body by its declared length, before a byte of it is read."""
    response = refusal(request, PayloadTooLarge(f"At most {MAX_BODY_BYTES} bytes are accepted."))
    response.headers["connection"] = "close"
    return response


def _capped(receive: Receive) -> Receive:
    """Count a body as it comes and wait for its end for BODY_S in all; raises PayloadTooLarge, BodyTimeout."""
    received = 0
    waiting_until: float | None = None
    complete = False

    async def capped() -> Message:
        nonlocal received, waiting_until, complete
        if complete:  # what is waited for now is the client's leaving
            return await receive()
        waiting_until = waiting_until or asyncio.get_running_loop().time() + BODY_S
        try:
            async with asyncio.timeout_at(waiting_until):
                message = await receive()
        except TimeoutError:
            raise BodyTimeout(f"A body must come within {BODY_S:.0f} s.") from None
        complete = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"At most {MAX_BODY_BYTES} bytes are accepted.")
        return message

    return capped
