"""OpenTelemetry traces, sent where `MARKWISE_OTLP_ENDPOINT` says and nowhere else: a span per request, job and question to a model.

Without an endpoint every call here is the API's no-op (0.5 us a span). A job's span continues the request that ordered it, by the
`traceparent` that its row carries. Which work is a span is decided by who does it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from app.settings import Settings
from app.telemetry.context import labels

_tracer = trace.get_tracer("markwise")


def start_tracing(settings: Settings, process: str) -> None:
    """Have the spans of this process sent in the background; nothing without an endpoint."""
    if settings.otlp_endpoint is None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise SystemExit("MARKWISE_OTLP_ENDPOINT is set: traces need `pip install 'markwise[otel]'`") from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"markwise-{process}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    trace.set_tracer_provider(provider)


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, parent: Mapping[str, str] | None = None, **attributes: str | int
) -> Iterator[Span]:
    """A span around the block; `parent` carries a `traceparent` where the cause lies in another process."""
    context = None if parent is None else propagate.extract(dict(parent))
    given = {f"markwise.{key}" if "." not in key else key: value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name, context, kind, attributes=given, record_exception=False, set_status_on_exception=False
    ) as started:
        try:
            yield started
        except BaseException as error:
            # Not its text, which may quote what a caller sent.
            started.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def for_model_server() -> dict[str, str]:
    """Headers by which a model server's log and spans say for which request it worked."""
    request_id = labels().get("request_id")
    return carrier() | ({"X-Request-Id": request_id} if request_id else {})


def carrier() -> dict[str, str]:
    """What continues the present trace in another process: `{"traceparent": ...}`, or nothing."""
    found: dict[str, str] = {}
    propagate.inject(found)
    return found
