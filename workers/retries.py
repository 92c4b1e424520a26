"""What to do about an error, in one table: try again later, or give up and tell the caller why.

Used by the runner for jobs and for single items. Returns values; decides nothing about leases.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import errors as app_errors
from app.queue.tasks import error_body
from app.storage.blobs import BlobCorrupt, BlobMissing, StoreUnavailable
from models import errors as model_errors
from workers.handlers import UnknownKind
from workers.heart import Draining

ALL_FAILED = error_body("items.all_failed", "Every item failed", status=422, detail="Each item names its own error.")
UNKNOWN_KIND = error_body("job.unknown_kind", "No worker knows this kind of work", status=500)
_OUT_OF_TIME = error_body("deadline", "The answer was not ready in time", status=504)
_NO_MEMORY = error_body("model.out_of_memory", "The work does not fit in memory", status=507)
_FIRST_DELAY_S, _LONGEST_DELAY_S = 1.0, 60.0


class EveryItemFailed(Exception):
    """A batch job of which nothing succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Try again after `delay_s`. A try `counts` towards the last one unless a dependency was to blame."""

    delay_s: float
    error: dict[str, Any] | None
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Fail with this error."""

    error: dict[str, Any]


_NO_WEIGHTS = error_body("model.weights_missing", "The weights of the model are not installed", status=503)


class NotWaitedFor(Exception):
    """A model is down, and the caller waits for an answer rather than for the model; the message is ours."""


# The first line that fits decides; subclasses stand before their parents.
_GIVE_UP: tuple[tuple[type[BaseException], dict[str, Any]], ...] = (
    (EveryItemFailed, ALL_FAILED),
    (BlobCorrupt, error_body(app_errors.Damaged.code, app_errors.Damaged().title, status=app_errors.Damaged.status)),
    (model_errors.OutOfTime, _OUT_OF_TIME),
    (model_errors.BadImage, error_body("image.bad", "The image cannot be used", status=422)),
    (model_errors.BadRegions, error_body("regions.bad", "A provided region cannot be used", status=422)),
    (model_errors.Nameless, error_body("annotation.no_names", "The regions carry no names", status=422)),
    (model_errors.BadInput, error_body("input.bad", "The input cannot be used", status=422)),
    (
        model_errors.BadOutput,
        error_body("model.bad_output", "The model's answer was not in the agreed form", status=502),
    ),
    (model_errors.OutOfMemory, _NO_MEMORY),
    (MemoryError, _NO_MEMORY),
)
_OURS = (model_errors.ModelError, app_errors.AppError)
"""Errors whose text we wrote; no other text leaves."""


def backoff_s(attempt: int) -> float:
    """1, 2, 4 ... 60 seconds."""
    return float(min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(attempt - 1, 10)))


def _of_app_error(error: app_errors.AppError, detail: str | None = None) -> dict[str, Any]:
    return error_body(error.code, error.title, status=error.status, detail=detail or error.detail or None)


def _later(error: BaseException, attempt: int) -> Retry | None:
    delay_s = backoff_s(attempt)
    if isinstance(error, StoreUnavailable):
        error = app_errors.Unavailable("The blob store does not answer.")
    match error:
        case Draining():
            return Retry(delay_s=0.0, error=None)
        case UnknownKind():
            return Retry(delay_s=5.0, error=UNKNOWN_KIND, counts=True)
        case model_errors.BackendDown() if not isinstance(error, model_errors.OutOfTime):
            return Retry(delay_s=delay_s, error=_of_app_error(app_errors.ModelUnavailable(), str(error)))
        case app_errors.Unavailable():
            return Retry(delay_s=delay_s, error=_of_app_error(error))
        case DBAPIError() | PoolTimeout():
            # Gone, over a time limit, or out of connections; the second may be the work's own fault, so the try counts.
            return Retry(delay_s=delay_s, error=_of_app_error(app_errors.Unavailable()), counts=True)
    return None


def decide(error: BaseException, attempt: int) -> Retry | GiveUp:
    """Classify what a handler raised in its `attempt` (from 1). Unknown errors are ours: no detail leaves."""
    later = _later(error, attempt)
    if later is not None:
        return later
    if isinstance(error, app_errors.AppError):
        return GiveUp(error=_of_app_error(error))
    if isinstance(error, NotWaitedFor):
        return GiveUp(error=_of_app_error(app_errors.ModelUnavailable(), str(error)))
    if isinstance(error, model_errors.WeightsMissing):
        # Its message may name a folder of this machine; the log has it, the caller gets the setting's name.
        detail = f"The operator sets {error.setting}; the log of the worker says more." if error.setting else None
        return GiveUp(error=_NO_WEIGHTS if detail is None else _NO_WEIGHTS | {"detail": detail})
    return GiveUp(error=_gone(error) if isinstance(error, BlobMissing) else _listed(error))


def _gone(error: BlobMissing) -> dict[str, Any]:
    """Deleted between the look at its row and this one."""
    return error_body(f"{error.noun.split()[-1]}.gone", f"The {error.noun} was deleted meanwhile", status=404)


def _listed(error: BaseException) -> dict[str, Any]:
    for kind, body in _GIVE_UP:
        if isinstance(error, kind):
            return body | {"detail": str(error)} if isinstance(error, _OURS) and str(error) else body
    return _of_app_error(app_errors.AppError())
