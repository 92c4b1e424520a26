"""What the present work belongs to: the request, the job. Bound where work begins, read by logs and by calls to the model server.

Context variables, so they follow a request into its threads and never leak into another's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_LABELS: ContextVar[Mapping[str, str]] = ContextVar("markwise_labels", default=MappingProxyType({}))


def labels() -> Mapping[str, str]:
    """Return what the present work belongs to, such as `{"request_id": ..., "job_id": ...}`."""
    return _LABELS.get()


@contextmanager
def bound(**more: str | None) -> Iterator[None]:
    """Add labels for the block; None adds nothing."""
    token = _LABELS.set({**_LABELS.get(), **{name: value for name, value in more.items() if value is not None}})
    try:
        yield
    finally:
        _LABELS.reset(token)
