"""How the installation stands, read from the catalog whenever Prometheus asks: queues, jobs, workers.

Over all tenants and without naming one; with the queue's role, which sees no payload. True whichever process is asked, and after
any of them was killed.
"""

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Double, Engine, cast, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.catalog.session import queue_engine, queue_transaction
from app.catalog.tables import JobRow, OutboxRow, StorageUseRow, WebhookDeliveryRow, WorkerProcessRow
from app.catalog.worker_processes import WORKER_SILENT_S, reporting
from app.settings import Settings

NOW = func.clock_timestamp()
_OPEN = ("queued", "running", "cancelling")


class Gauges(Collector):
    """Asks seven small questions per scrape, six of indexed columns and one of as many rows as there are tenants and keys."""

    def __init__(self, settings: Settings) -> None:
        """Connects at the first scrape."""
        self._settings = settings
        self._engine: Engine | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._engine is not None:
            self._engine.dispose()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what is known; a database that is down is itself a value."""
        up = GaugeMetricFamily("markwise_database_up", "Whether the catalog answers.")
        try:
            found = list(self._families())
        except SQLAlchemyError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield up
        yield from found

    def _families(self) -> Iterator[GaugeMetricFamily]:
        self._engine = self._engine or queue_engine(self._settings, name="markwise-metrics", pool_size=1)
        jobs = GaugeMetricFamily("markwise_jobs", "Jobs that are not over.", labels=("queue", "kind", "status"))
        age = GaugeMetricFamily(
            "markwise_queue_age_seconds", "How long the oldest job that is due has waited.", labels=("queue",)
        )
        workers = GaugeMetricFamily(
            "markwise_workers", f"Worker processes seen in {WORKER_SILENT_S} s.", labels=("queues",)
        )
        outbox = GaugeMetricFamily("markwise_outbox", "Hints that wait to be sent.")
        deliveries = GaugeMetricFamily("markwise_webhook_deliveries", "Webhook deliveries that wait.")
        with queue_transaction(self._engine, durable=False) as session:
            counted = select(JobRow.queue, JobRow.kind, JobRow.status, func.count()).where(JobRow.status.in_(_OPEN))
            for queue, kind, status, count in session.execute(
                counted.group_by(JobRow.queue, JobRow.kind, JobRow.status)
            ):
                jobs.add_metric((queue, kind, status), count)
            waiting = select(JobRow.queue, func.extract("epoch", NOW - func.min(JobRow.run_at)))
            due = waiting.where(JobRow.status == "queued", JobRow.run_at <= NOW).group_by(JobRow.queue)
            ages = {queue: float(seconds) for queue, seconds in session.execute(due)}
            for queue in ("interactive", "batch", "train"):
                age.add_metric((queue,), ages.get(queue, 0.0))
            for queues, count in session.execute(
                select(WorkerProcessRow.queues, func.count()).where(reporting()).group_by(WorkerProcessRow.queues)
            ):
                workers.add_metric((",".join(queues),), count)
            gpus = list(_gpus(session))
            outbox.add_metric((), session.scalar(select(func.count()).select_from(OutboxRow)) or 0)
            late = select(func.count()).select_from(WebhookDeliveryRow).where(WebhookDeliveryRow.status == "queued")
            deliveries.add_metric((), session.scalar(late) or 0)
            stored = list(_stored(session))
        yield from (jobs, age, workers, *gpus, outbox, deliveries, *stored)


def _gpus(session: Session) -> Iterator[GaugeMetricFamily]:
    """What workers see of the GPUs that they use; several may use one, and see the same."""
    used = GaugeMetricFamily(
        "markwise_gpu_memory_used_bytes", "Memory in use on a GPU of workers, by anybody.", labels=("gpu", "model")
    )
    total = GaugeMetricFamily("markwise_gpu_memory_total_bytes", "Memory of a GPU of workers.", labels=("gpu", "model"))
    told = session.scalars(select(WorkerProcessRow.gpus).where(reporting()).order_by(WorkerProcessRow.last_seen_at))
    for gpu in {gpu["uuid"]: gpu for gpus in told for gpu in gpus}.values():
        used.add_metric((gpu["uuid"], gpu["model"]), gpu["used_bytes"])
        total.add_metric((gpu["uuid"], gpu["model"]), gpu["total_bytes"])
    yield from (used, total)


def _stored(session: Session) -> Iterator[GaugeMetricFamily]:
    """What all tenants store, and how full the fullest quota is: whose, `markwise keys list` and GET /v1/keys say."""
    whole = StorageUseRow.owner == StorageUseRow.tenant_id
    part = func.greatest(
        StorageUseRow.images / cast(func.nullif(StorageUseRow.max_images, 0), Double),
        StorageUseRow.bytes / cast(func.nullif(StorageUseRow.max_bytes, 0), Double),
        0.0,
    )
    row = session.execute(
        select(
            func.coalesce(func.sum(StorageUseRow.images).filter(whole), 0),
            func.coalesce(func.sum(StorageUseRow.bytes).filter(whole), 0),
            func.coalesce(func.max(part), 0.0),
        )
    ).one()
    for name, said, value in zip(
        ("markwise_stored_images", "markwise_stored_bytes", "markwise_fullest_quota"),
        (
            "Images of all tenants.",
            "Bytes of their copies and marked pictures.",
            "Use of the fullest storage quota, 0 to 1.",
        ),
        row,
        strict=True,
    ):
        yield GaugeMetricFamily(name, said, value=float(value))


class Metrics:
    """What /metrics shows: the gauges, and what this process has counted; with several API processes, what all of them have."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is asked yet."""
        self._gauges = Gauges(settings)
        self._folder = None if settings.api_processes == 1 else str(settings.metrics_folder)

    def text(self) -> bytes:
        """Return the present values in Prometheus' text format."""
        gauges = CollectorRegistry(auto_describe=False)
        gauges.register(self._gauges)
        counted = REGISTRY
        if self._folder is not None:
            counted = CollectorRegistry()
            MultiProcessCollector(counted, path=self._folder)  # type: ignore[no-untyped-call]  # prometheus_client leaves it untyped
        return generate_latest(gauges) + generate_latest(counted)

    def close(self) -> None:
        """Close the connection."""
        self._gauges.close()
