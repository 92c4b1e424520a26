"""Durable work, and what it reports as it goes."""

from typing import Any, Literal

from markwise.types.body import Body


class Progress(Body):
    """How far a job is."""

    done: int
    total: int
    failed: int
    percent: float
    stage: str | None


class Job(Body):
    """Durable work; `order` is there when it was asked for."""

    id: str
    object: str
    kind: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelling", "cancelled"]
    progress: Progress
    attempt: int
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    order: dict[str, Any] | None = None

    @property
    def over(self) -> bool:
        """Whether only a retry can change it."""
        return self.status in {"succeeded", "failed", "cancelled"}


class JobItem(Body):
    """One unit of a batch job."""

    item: int
    status: str
    attempt: int
    payload: dict[str, Any]
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    finished_at: str | None


class CurvePoint(Body):
    """A bucket of a curve: its last step, mean, least and greatest value, and when it ended."""

    step: int | None
    value: float
    low: float
    high: float
    at: str


class Curve(Body):
    """One number over a stage of a job, such as `loss`, `tokens_per_s` or `eta_s`."""

    name: str
    stage: str | None
    count: int
    points: list[CurvePoint]


class Curves(Body):
    """What a job reported as it went, thinned out for a chart."""

    object: str
    job_id: str
    data: list[Curve]


class Event(Body):
    """A server-sent event: of a job (`progress`, `log`, `metric`, `completed`) or of an answer as it is written."""

    name: str
    id: str | None = None
    data: dict[str, Any]
