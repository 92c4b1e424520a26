"""The catalogue of errors a caller can meet: a code, a status and a fixed title each (the docstring is the title).

    AppError
    ├── BadRequest              400, 408, 415, 413, 422: change the request
    ├── Unauthorised/Forbidden  401, 403: bring another key
    ├── StorageFull             403: delete something, or have the limit raised; trying again changes nothing
    ├── Damaged                 500: a stored file is not as it was written; the operator restores it
    ├── NotFound                404: the same body for what is missing and what is another tenant's
    ├── Conflict                409, 412: look at the present state first
    ├── TooManyRequests         429: this key sends more than its share; `Retry-After` says when to come back
    └── Unavailable             503, 504: the service cannot do it now; `Retry-After` says when to come back

Details are our own sentences. They never carry the text of another library's exception.
"""

import math


class AppError(Exception):
    """Something went wrong"""

    status: int = 500
    code: str = "internal"
    retry_after_s: int | None = None

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail

    @property
    def title(self) -> str:
        """The fixed title: the first line of the class docstring."""
        return (type(self).__doc__ or "Something went wrong").strip().splitlines()[0].rstrip(".")


class BadRequest(AppError):
    """The request cannot be read"""

    status = 400
    code = "bad_request"


class Unprocessable(AppError):
    """The request is well formed but cannot be carried out"""

    status = 422
    code = "unprocessable"


class PayloadTooLarge(AppError):
    """The request body is too large"""

    status = 413
    code = "body.too_large"


class BodyTimeout(BadRequest):
    """The request body did not come in time"""

    status = 408
    code = "body.timeout"


class Unauthorised(AppError):
    """No valid key was given"""

    status = 401
    code = "key.missing"


class Forbidden(AppError):
    """The key does not allow this"""

    status = 403
    code = "key.scope"


class StorageFull(AppError):
    """As much is stored as may be"""

    status = 403
    code = "storage.full"


class Damaged(AppError):
    """What is stored is damaged"""

    code = "storage.damaged"


class NotFound(AppError):
    """There is no such thing"""

    status = 404
    code = "not_found"


class UnknownModel(NotFound):
    """There is no model with this name"""

    code = "model_not_found"


class Conflict(AppError):
    """The present state does not allow this"""

    status = 409
    code = "conflict"


class StaleImage(Conflict):
    """The image is not the one the caller expects"""

    code = "image.stale"


class IdempotencyMismatch(Unprocessable):
    """The idempotency key was used with another request"""

    code = "idempotency.mismatch"


class IdempotencyBusy(Conflict):
    """The first request with this idempotency key is still running"""

    code = "idempotency.running"


class JobFailed(AppError):
    """The work was tried and failed"""

    status = 422
    code = "job.failed"


class BudgetSpent(AppError):
    """The budget of the job is spent"""

    status = 402
    code = "budget.spent"


class TooManyRequests(AppError):
    """More requests of this key than its share"""

    status = 429
    code = "key.rate"

    def __init__(self, detail: str = "", *, retry_after_s: float) -> None:
        """Whole seconds are told."""
        super().__init__(detail)
        self.retry_after_s = max(1, math.ceil(retry_after_s))


class Unavailable(AppError):
    """A part of the service is not available"""

    status = 503
    code = "unavailable"
    retry_after_s = 5

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        """`retry_after_s` replaces the usual 5 s where the time is known; whole seconds are told."""
        super().__init__(detail)
        if retry_after_s is not None:
            self.retry_after_s = max(1, min(3600, math.ceil(retry_after_s)))


class Overloaded(Unavailable):
    """The service has as much to do as it can"""

    code = "overloaded"


class ModelUnavailable(Unavailable):
    """The vision-language model is not available"""

    code = "model.unavailable"


class DeadlineExceeded(Unavailable):
    """The answer was not ready in time"""

    status = 504
    code = "deadline"
