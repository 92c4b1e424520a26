"""Errors -> RFC 9457 problem documents, or OpenAI's error shape under /v1/chat.

The one place where an exception becomes a response. Nothing of an unexpected exception leaves the process: the
caller gets a request id, the log gets the trace.
"""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from app.catalog.session import NO_DATABASE
from app.errors import AppError, Damaged, NotFound, Unavailable, Unprocessable
from app.storage.blobs import BlobCorrupt, BlobMissing, StoreUnavailable

log = logging.getLogger("markwise.http")

HTTP_TITLES = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is no such thing"),
    405: ("method_not_allowed", "This path does not take this method"),
    413: ("body.too_large", "The request body is too large"),
    415: ("media_type.unsupported", "The media type is not supported"),
}


def problem(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str | None = None,
    retry_after_s: int | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """Build the error response of one request."""
    request_id = getattr(request.state, "request_id", "")
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if request.url.path.startswith("/v1/chat"):
        return JSONResponse(_openai_error(status, code, title, detail, errors), _openai_status(status), headers)
    body = {
        "type": f"https://markwise.dev/problems/{code}",
        "title": title,
        "status": status,
        "code": code,
        "instance": request.url.path,
        "request_id": request_id,
    }
    if detail and detail != title:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers, media_type="application/problem+json")


OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def _openai_error(
    status: int, code: str, title: str, detail: str | None, errors: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """The body that OpenAI's clients read; of several findings the first names the parameter."""
    kind = OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    first = errors[0] if errors else None
    said = detail if first is None else first["message"]
    message = f"{title}: {said}" if said and said != title else title
    param = None if first is None else first["pointer"].strip("/").replace("/", ".") or None
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _openai_status(status: int) -> int:
    """OpenAI knows no 422: what is wrong with a request is 400."""
    return 400 if status == 422 else status


def shape_errors(errors: Any) -> list[dict[str, Any]]:
    """Pydantic's findings as pointers and sentences, without the rejected input."""
    return [
        {
            "pointer": "/" + "/".join(map(str, filter(_is_in_body, error["loc"]))),
            "message": str(error["msg"]).removeprefix("Value error, "),
        }
        for error in list(errors)[:20]
    ]


def _is_in_body(part: object) -> bool:
    """Whether a part of pydantic's place is one of the body's own: not its root, and no tag of a union, "(list)" say."""
    return part != "body" and not (isinstance(part, str) and part.startswith("("))


def install(app: FastAPI) -> None:
    """Register the handlers."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(StoreUnavailable, _store_down)
    app.add_exception_handler(BlobMissing, _blob_gone)
    app.add_exception_handler(BlobCorrupt, _blob_damaged)
    app.add_exception_handler(RequestValidationError, _shape_error)
    app.add_exception_handler(ValidationError, _shape_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DataError, _unstorable)
    for error in NO_DATABASE:
        app.add_exception_handler(error, _database_down)
    app.add_exception_handler(Exception, _unexpected)


def handlers(app: FastAPI) -> dict[Any, Any]:
    """All but the last, for a layer around the middlewares: they raise the same errors as routes, outside of the routes' own layer."""
    return {error: handler for error, handler in app.exception_handlers.items() if error is not Exception}


def refusal(request: Request, error: AppError) -> JSONResponse:
    """Return the response that one of our own errors is."""
    return problem(
        request,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        retry_after_s=error.retry_after_s,
    )


def _app_error(request: Request, exc: Exception) -> JSONResponse:
    return refusal(request, exc if isinstance(exc, AppError) else AppError())


def _shape_error(request: Request, exc: Exception) -> JSONResponse:
    found = exc.errors() if isinstance(exc, RequestValidationError | ValidationError) else ()
    title = "The request does not have the agreed shape"
    return problem(request, status=422, code="shape", title=title, errors=shape_errors(found))


def _http_error(request: Request, exc: Exception) -> JSONResponse:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code, title = HTTP_TITLES.get(status, ("http", "The request cannot be served"))
    return problem(request, status=status, code=code, title=title)


def _database_down(request: Request, exc: Exception) -> JSONResponse:
    log.warning("database unavailable: %s", type(exc).__name__)
    return refusal(request, Unavailable("The catalog does not answer."))


def _unstorable(request: Request, exc: Exception) -> JSONResponse:
    """Postgres keeps no U+0000, no half of a surrogate pair, and no number beyond its types; JSON does."""
    log.info("a value that cannot be stored: %s", type(getattr(exc, "orig", exc)).__name__)
    detail = "The request holds a value that cannot be stored, such as the character U+0000 or a number out of range."
    return refusal(request, Unprocessable(detail))


def _store_down(request: Request, exc: Exception) -> JSONResponse:
    log.warning("blob store unavailable: %s", exc)
    return refusal(request, Unavailable("The blob store does not answer."))


def _blob_gone(request: Request, exc: Exception) -> JSONResponse:
    """Deleted between the look at its row and this one; if not, the log is where it is found out."""
    log.error("a row names a blob that is not there: %s", exc)
    return refusal(request, NotFound(f"The {exc.noun if isinstance(exc, BlobMissing) else 'file'} was deleted."))


def _blob_damaged(request: Request, exc: Exception) -> JSONResponse:
    log.error("a stored file is damaged; restore it from a backup: %s", exc)
    return refusal(
        request, Damaged("The stored bytes are not those that were written. The operator has to restore them.")
    )


def _unexpected(request: Request, exc: Exception) -> JSONResponse:
    log.error("unexpected error, request %s", getattr(request.state, "request_id", ""), exc_info=exc)
    return problem(request, status=500, code="internal", title="Something went wrong on our side")
