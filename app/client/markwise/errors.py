"""Everything a call can raise: one family, with the service's own words and its request id."""

from collections.abc import Mapping
from typing import Any


class MarkwiseError(Exception):
    """Whatever goes wrong between a caller and the service."""


class ServiceUnreachable(MarkwiseError):
    """Nothing answered, after all tries."""


class StillRunning(MarkwiseError):
    """The time to wait is over and the work goes on; `job_id` finds it again."""

    def __init__(self, job_id: str, waited_s: float) -> None:
        super().__init__(f"job {job_id} still runs after {waited_s:.0f} s; wait for it with client.wait(job)")
        self.job_id = job_id


class JobFailed(MarkwiseError):
    """The work ended without success; `status` is `failed` or `cancelled`, `error` the problem that the service recorded."""

    def __init__(self, job_id: str, status: str, error: Mapping[str, Any] | None) -> None:
        said = (
            ""
            if error is None
            else f": {error.get('title')}" + (f" ({error['detail']})" if error.get("detail") else "")
        )
        super().__init__(f"job {job_id} {status}{said}")
        self.job_id, self.status, self.error = job_id, status, error


class ApiError(MarkwiseError):
    """The service refused. `code` is stable and made for programs; `errors` point into the request's body."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status, self.retry_after_s = status, retry_after_s
        self.code = str(problem.get("code", "unknown"))
        self.title = str(problem.get("title", f"HTTP {status}"))
        self.detail = problem.get("detail")
        self.request_id = problem.get("request_id")
        self.errors = list(problem.get("errors", ()))
        pointed = "".join(f"\n  {each.get('pointer')}: {each.get('message')}" for each in self.errors)
        detail = f": {self.detail}" if self.detail else ""
        super().__init__(f"{self.title}{detail}{pointed} [{status} {self.code}, request {self.request_id}]")


class BadRequest(ApiError):
    """400, 413, 415 or 422: the request has to change."""


class Unauthorised(ApiError):
    """401: no key, or one that is unknown, revoked or expired."""


class Forbidden(ApiError):
    """403: the key lacks a scope."""


class NotFound(ApiError):
    """404: there is no such thing, or it is another tenant's."""


class Conflict(ApiError):
    """409: the present state does not allow it, a screenshot that is no longer the screen for example."""


class Overloaded(ApiError):
    """429, 502, 503 or 504, after all tries: too much at once, or a dependency is down."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorised,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: BadRequest,
    415: BadRequest,
    422: BadRequest,
    429: Overloaded,
    502: Overloaded,
    503: Overloaded,
    504: Overloaded,
}


def error_of(status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> ApiError:
    """Return the error that a response means."""
    return _BY_STATUS.get(status, ApiError)(status, problem, retry_after_s)
