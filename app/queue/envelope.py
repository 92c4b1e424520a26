"""What is believed of a message in Redis: the id of a job. Everything else of its envelope is thrown away and written anew.

kombu reads a message before Celery can refuse it, and Celery takes the word of its headers: one line that was no JSON ended a worker,
one without an id kept its only place for good. Used by `broker`, which makes kombu's Redis transport this one.
"""

import base64
import json
import logging
from typing import Any
from uuid import UUID, uuid4

from kombu.transport import redis

from app.queue.tasks import RUN_JOB

_log = logging.getLogger(__name__)
_NO_JSON = (ValueError, TypeError, RecursionError)
_NO_MORE: dict[str, None] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def job_in(message: Any) -> UUID | None:
    """Return the job that a message names, None for one that is no hint; whatever is JSON may come."""
    try:
        headers, properties = message["headers"], message["properties"]
        if headers["task"] != RUN_JOB or message["content-type"] != "application/json":
            return None
        body = message["body"]
        if properties["body_encoding"] == "base64":
            body = base64.b64decode(body)
        (job_id,), *_ = json.loads(body)
        return UUID(job_id)
    except (*_NO_JSON, KeyError, AttributeError):
        return None


def hint_of(job_id: UUID | str, queue: str) -> dict[str, Any]:
    """Return a message of our own for a job, as Celery's second protocol has it."""
    name = str(uuid4())
    body = json.dumps([[str(job_id)], {}, _NO_MORE]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": RUN_JOB,
            "id": name,
            "root_id": name,
            "parent_id": None,
            "ignore_result": True,
        },
        "properties": {
            "body_encoding": "base64",
            "correlation_id": name,
            "delivery_info": {"exchange": queue, "routing_key": queue},
            "delivery_mode": 2,
            "delivery_tag": name,
        },
    }


class Channel(redis.Channel):
    """kombu's, which survives what is no JSON."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except _NO_JSON as error:
            _log.warning("a message in Redis is no hint, and was dropped: %s", type(error).__name__)
            return True


class Transport(redis.Transport):
    """kombu's, which delivers hints only."""

    Channel = Channel

    def _deliver(self, message: object, queue: str) -> None:
        job_id = job_in(message)
        if job_id is None:
            _log.warning("a message in Redis is no hint, and was dropped")
        else:
            super()._deliver(hint_of(job_id, queue), queue)
