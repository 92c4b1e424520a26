"""T11: an object store that fails, drops connections and is slow. Run: python -m tests.chaos.blob_faults [--pictures N].

Two thirds of all requests to a small S3 fail while pictures come in, are marked, read and deleted. Held: callers hear success, 503 or, of
what was deleted, 404; in the end every order is done, every row's blob is there and whole, and a sweep leaves nothing that no row names.
"""

import io
import os
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import httpx
import numpy as np
from PIL import Image

from app.catalog.session import app_engine
from app.services.forgetting import Forgetting
from app.settings import Settings
from app.stack import embedded
from app.storage.blobs import open_blobs
from tests.acceptance.service import drawn
from tests.chaos.house import House, house, job_of, order, settled
from tests.chaos.table import Row, run
from tests.integration.s3_stub import BUCKET, S3Stub, running_stub

SHARE = 0.66
SETTLED_S = 180.0
DELETED = range(900, 908)


class Chance(deque[str]):
    """Faults by chance: as a queue of them that is sometimes empty."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share, self.given = share, 0
        self._random, self._lock = random.Random(5), threading.Lock()

    def __bool__(self) -> bool:
        with self._lock:
            return self._random.random() < self.share

    def popleft(self) -> str:
        """A fault; one in four takes half a second before."""
        with self._lock:
            fault, slow = self._random.choice(("500", "503", "drop")), self._random.random() < 0.25
            self.given += 1
        time.sleep(0.5 if slow else 0)
        return fault


@contextmanager
def on_s3(stub: S3Stub) -> Iterator[House]:
    """A service whose blobs lie there."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    place = {"AWS_ENDPOINT_URL": stub.url, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent"}
    os.environ.update(credentials | place)
    with house(MARKWISE_BLOBS=f"s3://{BUCKET}/t11", MARKWISE_QUEUE_LIMIT="0") as made:
        yield made


def measure(pictures: int = 60) -> Row:
    """Order, read and delete while the store fails; then look at everything that is left."""
    with running_stub() as stub:
        stub.faults = chance = Chance(0.0)
        with on_s3(stub) as place, place.client(120) as client:
            chance.share = SHARE
            ledger, refused, strange = ordered(client, pictures)
            strange += read_and_delete(client)
            chance.share = 0.0
            good, stuck, took_s = settled(client, ledger, SETTLED_S)
            broken = unlike(place, client, stub, pictures)
            swept, left = sweep(place)
    failures = (
        *([f"{len(strange)} strange answers, {strange[0]}"] if strange else []),
        *([f"{len(ledger) - good} lost"] if good != len(ledger) else []),
        *([f"{stuck} stuck"] if stuck else []),
        *([f"{len(broken)} broken rows, {broken[0]}"] if broken else []),
        *([f"{left} orphans after the sweep"] if left else []),
    )
    return Row(
        id="T11",
        fault=f"the object store fails {SHARE:.0%} of requests",
        load=f"{pictures} orders, {len(ledger)} taken at the first try or later",
        survived=good,
        lost=len(ledger) - good,
        recovery_s=took_s,
        failures=failures,
        seen=f"{chance.given} faults, {refused} answered 503; {len(broken)} rows without a whole blob; {swept} orphans swept, {left} left",
    )


def ordered(client: httpx.Client, pictures: int) -> tuple[list[str], int, list[str]]:
    """Order each until it is taken; returns the jobs, how many 503 there were, and what else was said."""
    ledger, refused, strange = [], 0, []
    for seed in range(pictures):
        for _ in range(50):
            answer = order(client, seed)
            if answer.status_code == 503 and "retry-after" in answer.headers:
                refused += 1
                continue
            if answer.status_code == 202:
                ledger.append(job_of(answer))
            else:
                strange.append(f"order: {answer.status_code} {answer.text[:80]}")
            break
    return ledger, refused, strange


def read_and_delete(client: httpx.Client) -> list[str]:
    """Bring pictures, and read them while they are deleted; returns what was said besides success, 404 and 503."""
    strange = []
    for seed in DELETED:
        made = client.post("/v1/images", files={"file": drawn(seed, (160, 120))})
        if made.status_code != 201:
            continue
        path, over = f"/v1/images/{made.json()['id']}", threading.Event()

        def read(path: str = path, over: threading.Event = over) -> None:
            while not over.is_set():
                status = client.get(f"{path}/content").status_code
                if status not in {200, 404, 503}:
                    strange.append(f"read: {status}")

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(20):
            status = client.delete(path).status_code
            if status in {204, 404}:
                break
            if status != 503:
                strange.append(f"delete: {status}")
        over.set()
        reader.join()
    return strange


def unlike(place: House, client: httpx.Client, stub: S3Stub, pictures: int) -> list[str]:
    """Return the rows whose blob is not there, not whole, or not the picture that was sent."""
    wrong = []
    named = place.rows("SELECT blob_key FROM images UNION SELECT overlay_blob_key FROM mark_sets")
    for (key,) in named:
        data = stub.objects.get(f"t11/{key}", (b"", None))[0]
        try:
            Image.open(io.BytesIO(data)).load()
        except (OSError, SyntaxError):
            wrong.append(f"{key}: {len(data)} bytes")
    sent = {pixels(drawn(seed, (160, 120))) for seed in (*range(pictures), *DELETED)}
    for image in client.get("/v1/images", params={"limit": 500}).json()["data"]:
        content = client.get(f"/v1/images/{image['id']}/content")
        if content.status_code != 200 or pixels(content.content) not in sent:
            wrong.append(f"image {image['id']}: {content.status_code}")
    return wrong


def pixels(data: bytes) -> bytes:
    """A picture without its encoding."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).tobytes()


def sweep(place: House) -> tuple[int, int]:
    """Sweep without a grace; returns how many orphans went and how many are still there."""
    settings = embedded.addresses(Settings(home=place.folder.home, profile="embedded"))
    tenant: UUID = place.rows("SELECT tenant_id FROM images LIMIT 1")[0][0]
    engine, blobs = app_engine(settings), open_blobs(f"s3://{BUCKET}/t11")
    try:
        forgetting = Forgetting(engine=engine, blobs=blobs, tenant_id=tenant)
        went = forgetting.sweep(older_than=timedelta(0))
        return went.blobs, sum(1 for _ in forgetting.orphans(timedelta(0)))
    finally:
        blobs.close()
        engine.dispose()


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
