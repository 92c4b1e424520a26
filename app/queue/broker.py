"""The Celery app, its settings, and the two things done with the broker: send a hint, count waiting hints.

The only `import celery` in `app/`. Messages are JSON, carry a job id and nothing else, and may be lost or repeated.
"""

from typing import Any
from uuid import UUID

import redis
from celery import Celery
from kombu import Exchange
from kombu import Queue as BrokerQueue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from app.queue.tasks import RUN_JOB, Queue
from app.settings import Settings

_TIMEOUT_S = 2.0
# By the names that kombu finds in URLs: given as a setting, a transport of one's own loses what kombu does for rediss.
_TRANSPORTS = dict.fromkeys(("redis", "rediss"), "app.queue.envelope:Transport")


def _broker_url(url: str) -> str:
    """Kombu's spelling of a unix socket."""
    if url.startswith("unix://"):
        path, _, query = url.removeprefix("unix://").partition("?db=")
        return f"redis+socket://{path}?virtual_host={query or '0'}"
    return url


def celery_app(settings: Settings) -> Celery:
    """Build the Celery app of a process; nothing connects yet."""
    TRANSPORT_ALIASES.update(_TRANSPORTS)
    app = Celery("markwise", broker=_broker_url(settings.hints_url), set_as_current=False)
    app.conf.update(
        # Pickle would run whatever somebody writes into Redis.
        task_serializer="json",
        accept_content=["json"],
        # A forged or old message costs one refused claim; results live in Postgres only.
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        # Names spelt out: left to the defaults, all queues share one binding and every hint goes to all of them.
        task_queues=[BrokerQueue(queue.value, Exchange(queue.value), routing_key=queue.value) for queue in Queue],
        task_default_queue=Queue.BATCH.value,
        task_create_missing_queues=False,
        task_acks_late=False,
        # A hint stranded behind a long job would wait although another worker is free.
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        # Loading models after the fork takes longer than the 4 s that a new child is given by default.
        worker_proc_alive_timeout=300.0,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_connect_timeout": _TIMEOUT_S,
            "health_check_interval": 10,
            "retry_on_timeout": True,
        },
        enable_utc=True,
        timezone="UTC",
    )
    return app


class HintBroker:
    """Sends hints and counts those that wait. Every call may raise HintsDown."""

    def __init__(self, settings: Settings) -> None:
        self._app = celery_app(settings)
        self._redis: redis.Redis = redis.Redis.from_url(
            settings.hints_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
        )

    def send(self, queue: str, job_id: UUID) -> None:
        """Put one hint at the end of a queue."""
        try:
            self._app.send_task(RUN_JOB, args=[str(job_id)], queue=queue, retry=False, ignore_result=True)
        except (OperationalError, redis.RedisError, OSError) as exc:
            raise HintsDown from exc

    def waiting(self, queue: str) -> int:
        """Count the hints of a queue that no worker has taken."""
        try:
            length: Any = self._redis.llen(queue)
        except redis.RedisError as exc:
            raise HintsDown from exc
        return int(length)

    def close(self) -> None:
        """Close the connections."""
        self._app.close()
        self._redis.close()


class HintsDown(Exception):
    """Redis does not answer; jobs stay in Postgres and are hinted when it is back."""
