"""One trace from the request to the worker that does its work, received by a collector."""

import time
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.acceptance.service import drawn, serving
from tests.integration.web_stub import WebStub, answer, running

REQUEST, JOB = "POST /v1/marksets", "mark_set.create"


@pytest.fixture
def collector() -> Iterator[WebStub]:
    with running("127.0.0.1") as stub:
        stub.paths["/v1/traces"] = answer(200)
        yield stub


def received(collector: WebStub) -> list[tuple[str, Span]]:
    """Every span that arrived, with the name of the service that sent it."""
    spans = []
    for body in list(collector.bodies):
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = (a.value.string_value for a in group.resource.attributes if a.key == "service.name")
            spans += [(service, span) for scope in group.scope_spans for span in scope.spans]
    return spans


def test_a_request_and_its_job_are_one_trace(collector: WebStub) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    with serving(MARKWISE_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.port}", MARKWISE_LOG_FORMAT="json") as url:
        body = {"segmenter": "provided", "regions": '[{"bbox_xyxy_px": [10, 10, 60, 60]}]'}
        headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "Prefer": "wait=60"}
        marked = httpx.post(f"{url}/v1/marksets", files={"file": drawn(5)}, data=body, headers=headers, timeout=90)
        assert marked.status_code == 201, marked.text
        deadline = time.monotonic() + 30
        found: dict[str, tuple[str, Span]] = {}
        parents: dict[bytes, bytes] = {}
        while not found.keys() >= {REQUEST, JOB} and time.monotonic() < deadline:
            mine = [(of, span) for of, span in received(collector) if span.trace_id.hex() == trace_id]
            found = {span.name: (of, span) for of, span in mine}
            parents = {span.span_id: span.parent_span_id for _, span in mine}
            time.sleep(0.2)
    (api, request), (worker, job) = found[REQUEST], found[JOB]
    assert (api, worker) == ("markwise-api", "markwise-worker")
    # FastAPI has spans of its own between the two.
    above = job.parent_span_id
    while above in parents and above != request.span_id:
        above = parents[above]
    assert above == request.span_id
    assert request.parent_span_id.hex() == "00f067aa0ba902b7"
