"""S5: ten thousand forged messages in Redis. Run: python -m tests.chaos.forged_hints [--messages N].

Noise, envelopes that end kombu and Celery, a pickle that would leave a file, other tasks, arguments of every kind, hints for jobs that
do not exist, are over, are not due or belong to another queue. Held: no effect but that of the orders, no process ended, all of it drained
within a minute.
"""

import base64
import json
import os
import pickle
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from app.queue.envelope import hint_of
from tests.chaos.table import Row, run
from tests.chaos.yard import Yard, yard

DRAINED_S = 60.0
GOOD, WORKERS = 40, 2
QUEUE = "batch"


class Marker:
    """What a pickle does when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def forgeries(known: list[str], marker: Path, chance: random.Random) -> dict[str, Callable[[], bytes]]:
    """Return makers of messages by name; `known` are jobs that must not run."""

    def hint(**changed: Any) -> bytes:
        return json.dumps(hint_of(uuid4(), QUEUE) | changed).encode()

    def arguments(args: Any, **headers: Any) -> bytes:
        whole = hint_of(uuid4(), QUEUE)
        whole["headers"] |= headers
        return json.dumps(whole | {"body": base64.b64encode(json.dumps(args).encode()).decode()}).encode()

    pickled = base64.b64encode(pickle.dumps(Marker(marker))).decode()
    python = {"body": pickled, "content-type": "application/x-python-serialize", "content-encoding": "binary"}
    return {
        "noise": lambda: chance.randbytes(chance.randrange(200)),
        "no envelope": lambda: json.dumps(chance.choice([[], 1, None, "x", {}, {"body": 1}, [[[]]]])).encode(),
        "depth": lambda: b"[" * 5_000,
        "half an envelope": lambda: hint(properties=chance.choice([{}, None, 1, {"delivery_tag": 1}])),
        "headers": lambda: hint(headers=chance.choice([{}, None, [], {"task": 1}, {"task": "job.run"}])),
        "a pickle": lambda: hint(**python),
        "another task": lambda: arguments([[str(uuid4())], {}, {}], task="celery.backend_cleanup"),
        "arguments": lambda: arguments(
            chance.choice([[], [[]], [[1]], [[None], {"tenant": "x"}], "x", [["x" * 9_000]]])
        ),
        "held back": lambda: arguments([[str(uuid4())], {}, {}], eta="2999-01-01T00:00:00", expires="x", retries="y"),
        "an unknown job": hint,
        "a known job": lambda: json.dumps(hint_of(chance.choice(known), QUEUE)).encode(),
    }


def attack(place: Yard, marker: Path, messages: int, workers: int) -> tuple[int, int, int, float]:
    """Start workers and send the messages among orders.

    Returns effects that must not be, orders left undone, workers that ended, and the seconds until all was drained.
    """
    later = place.order("effect", [{}] * 10)  # put off before anybody could take one
    place.rows("UPDATE jobs SET run_at = now() + interval '1 hour' WHERE id = ANY(%s) RETURNING 1", later)
    staff = place.staffed(workers)
    over = place.order("effect", [{}] * 10)
    _wait(place, over)
    chance = random.Random(11)
    makers = list(forgeries([*map(str, over), *map(str, later)], marker, chance).values())
    with place.redis() as client:
        for first in range(0, messages, 500):
            for _ in range(min(500, messages - first)):
                client.lpush(QUEUE, chance.choice(makers)())
        good = place.order("effect", [{}] * GOOD)
        began = time.monotonic()
        while time.monotonic() - began < 3 * DRAINED_S and (client.llen(QUEUE) or _open(place, good)):
            time.sleep(0.1)
        took_s = time.monotonic() - began
    had = [row[0] for row in place.rows("SELECT job_id FROM effects")]
    ended = sum(worker.poll() is not None for worker in staff)
    return len(had) - len(over) - (GOOD - _open(place, good)), _open(place, good), ended, took_s


def _wait(place: Yard, ordered: list[UUID]) -> None:
    deadline = time.monotonic() + DRAINED_S
    while _open(place, ordered):
        assert time.monotonic() < deadline, "no worker works"
        time.sleep(0.1)


def _open(place: Yard, good: list[UUID]) -> int:
    done = place.rows("SELECT count(*) FROM jobs WHERE id = ANY(%s) AND status = 'succeeded'", good)[0][0]
    return len(good) - int(done)


def measure(messages: int = 10_000) -> Row:
    """Forge, and count what came of it."""
    with yard() as place:
        marker = place.settings.data_folder / "marker"
        strange, undone, ended, took_s = attack(place, marker, messages, WORKERS)
    failures = (
        *([f"{strange} effects too many"] if strange else []),
        *([f"{undone} orders undone"] if undone else []),
        *([f"{ended} workers ended"] if ended else []),
        *(["a pickle was read"] if marker.exists() else []),
        *([f"drained after {took_s:.0f} s"] if took_s > DRAINED_S else []),
    )
    return Row(
        id="S5",
        fault="forged messages in Redis",
        load=f"{messages} messages of 11 kinds, {GOOD} orders",
        survived=GOOD - undone,
        lost=undone,
        duplicated=max(0, strange),
        recovery_s=took_s,
        failures=failures,
        seen=f"{ended} of {WORKERS} workers ended, {messages / took_s:.0f} messages/s",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
