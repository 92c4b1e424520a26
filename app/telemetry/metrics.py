"""What this process counts for Prometheus: requests by route, and the stages of answers that pass through it.

What is true of the whole installation (queues, jobs, workers) is read from the catalog when somebody asks, see
`app.services.gauges`: counters of single processes would be lost with them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

REQUESTS = Counter("markwise_requests", "Requests by route, method and status.", ("route", "method", "status"))
REQUEST_SECONDS = Histogram(
    "markwise_request_seconds", "Time from a request's first byte to its answer's last.", ("route",), buckets=_SECONDS
)
STAGE_SECONDS = Histogram(
    "markwise_answer_stage_seconds", "Time of an answer's stages, as in `timing_ms`.", ("stage",), buckets=_SECONDS
)
ANSWERS = Counter(
    "markwise_answers", "Answers by task, what decided them, and the model.", ("task", "decided_by", "model")
)


def request_done(route: str, method: str, status: int, elapsed_s: float) -> None:
    """Count a request; `route` is its template, so that ids do not multiply the series."""
    REQUESTS.labels(route, method, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(elapsed_s)


def answered(bodies: Iterable[Mapping[str, Any]]) -> None:
    """Count answers that go to a caller."""
    for body in bodies:
        ANSWERS.labels(body["task"], body["decided_by"], body["model"]["name"]).inc()
        for stage, ms in body.get("timing_ms", {}).items():
            STAGE_SECONDS.labels(stage).observe(float(ms) / 1000)
