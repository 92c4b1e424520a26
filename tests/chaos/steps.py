"""One order from its request to its marks, in one process that can be killed at any step of it. Used by `every_step`.

API, dispatcher and runner are the real ones; Celery is left out, for what it does between taking a message and calling the runner
is no step of ours. `attempt` and `recover` are run in processes of their own.
"""

import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import redis
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.catalog.session import queue_engine
from app.main import create_app
from app.queue.broker import HintBroker
from app.queue.envelope import job_in
from app.settings import Settings
from app.storage.local import LocalBlobs
from tests.acceptance.service import drawn
from tests.chaos.house import FORM
from workers.dispatcher import Dispatcher
from workers.handlers import HANDLERS
from workers.heart import Heart
from workers.reaper import Reaper
from workers.resources import Resources
from workers.runner import Runner

QUEUE = "interactive"
STEPS: dict[str, tuple[type, str]] = {
    "commit": (Session, "commit"),
    "put": (LocalBlobs, "put_if_absent"),
    "send": (HintBroker, "send"),
    "beat": (Heart, "beat"),
}
"""What is crossed, once before and once after."""


class Crossings:
    """Counts crossings; at the one that is wanted the process is gone."""

    def __init__(self, die_at: int | None, told: Path) -> None:
        self.count, self._die_at, self._told = 0, die_at, told

    def cross(self, name: str) -> None:
        """One step further."""
        self.count += 1
        if self.count == self._die_at:
            self._told.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """`real`, crossed before and after."""

        def crossed(*args: Any, **kwargs: Any) -> Any:
            self.cross(f"before {name}")
            made = real(*args, **kwargs)
            self.cross(f"after {name}")
            return made

        return crossed


@contextmanager
def watched(crossings: Crossings) -> Iterator[None]:
    """Every step crosses; a heart beats once at least, at its start, and a link into place is a step as well."""
    start = Heart.__enter__

    def begun(heart: Heart) -> Heart:
        heart.beat()
        return start(heart)

    with ExitStack() as stack:
        for name, (owner, method) in STEPS.items():
            stack.enter_context(patch.object(owner, method, crossings.around(name, getattr(owner, method))))
        stack.enter_context(patch.object(os, "link", crossings.around("link", os.link)))
        stack.enter_context(patch.object(Heart, "__enter__", begun))
        yield


def attempt(settings: Settings, die_at: int | None, told: Path) -> None:
    """Order, send the hint, take it, do the work; `told` holds the step at which it died, else how many there were."""
    crossings = Crossings(die_at, told)
    with watched(crossings), TestClient(create_app(settings)) as client:
        _once(client, settings, crossings.cross)
    told.write_text(str(crossings.count))


def recover(settings: Settings, told: Path) -> None:
    """What happens after: the caller asks again, housekeeping and a worker go on; `told` gets what is there in the end."""
    with TestClient(create_app(settings)) as client:
        for _ in range(5):
            _once(client, settings, lambda _: None)
            if all(job["finished_at"] for job in client.get("/v1/jobs").json()["data"]):
                break
        told.write_text(json.dumps(_outcome(client)))


def _once(client: TestClient, settings: Settings, cross: Callable[[str], None]) -> None:
    headers = {"Idempotency-Key": "one", "Prefer": "respond-async"}
    client.post("/v1/marksets", files={"file": drawn(3, (160, 120))}, data=FORM, headers=headers)
    cross("after the answer")
    engine, broker = queue_engine(settings), HintBroker(settings)
    reaper = Reaper(engine, broker, resend_s=0.01, outstanding=9)
    reaper.reap()
    reaper.repeat_hints()
    Dispatcher(engine, broker, outstanding=9).dispatch()
    cross("after dispatching")
    with redis.Redis.from_url(settings.hints_url) as client_of_redis:
        taken = client_of_redis.rpop(QUEUE)
    cross("after taking the hint")
    job_id: UUID | None = job_in(json.loads(taken)) if taken else None
    resources = Resources(settings)
    try:
        if job_id is not None:
            Runner(resources, HANDLERS, worker="steps").run(job_id)
        cross("after the job")
    finally:
        resources.close()
        broker.close()
        engine.dispose()


def _outcome(client: TestClient) -> dict[str, Any]:
    """What a caller sees: counts of what must be there once, and a hash of the marks without what differs from run to run."""
    jobs, images, sets = (client.get(f"/v1/{kind}").json()["data"] for kind in ("jobs", "images", "marksets"))
    digest = hashlib.sha256()
    for mark_set in sets:
        for mark in mark_set["marks"]:
            digest.update(json.dumps({key: mark[key] for key in ("id", "bbox_xyxy_px", "point_xy_px")}).encode())
        digest.update(client.get(mark_set["overlay_url"]).content)
        digest.update(client.get(f"/v1/images/{mark_set['image']['id']}/content").content)
    counts = {"jobs": len(jobs), "images": len(images), "mark sets": len(sets)}
    return counts | {"statuses": [job["status"] for job in jobs], "hash": digest.hexdigest()[:16]}
