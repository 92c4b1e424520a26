"""T15: many callers send the same key at the same moment. Run: python -m tests.chaos.same_key_at_once [--keys N].

Held: one job a key; whoever is answered is told that job, in the same bytes, the others 409; another body under a known key is 422, always.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.chaos.house import house
from tests.chaos.table import Row, run

THREADS = 32
ORDER = {"benchmark": "listing", "n": 1}


@dataclass(slots=True, kw_only=True)
class Race:
    """What the callers of one key were told."""

    statuses: Counter[int] = field(default_factory=Counter)
    bodies: set[bytes] = field(default_factory=set)
    other_body: int = 0


def race(client: httpx.Client, name: str, threads: int) -> Race:
    """Send an order from many threads at once, then another one under the same key."""
    found, start = Race(), threading.Barrier(threads)

    def send(_: int) -> httpx.Response:
        start.wait(60)
        return _send(client, name, ORDER)

    with ThreadPoolExecutor(threads) as pool:
        for answer in pool.map(send, range(threads)):
            found.statuses[answer.status_code] += 1
            if answer.is_success:
                found.bodies.add(answer.content)
    again = _send(client, name, ORDER)
    found.statuses[again.status_code] += 1
    found.bodies.add(again.content)
    found.other_body = _send(client, name, ORDER | {"n": 2}).status_code
    return found


def _send(client: httpx.Client, name: str, body: dict[str, object]) -> httpx.Response:
    headers = {"Idempotency-Key": f"race-{name}", "Prefer": "respond-async"}
    return client.post("/v1/evaluations", json=body, headers=headers)


def races(url: str, keys: int, threads: int) -> tuple[Counter[int], list[str]]:
    """Race for `keys` keys; returns the statuses and what broke a rule."""
    statuses: Counter[int] = Counter()
    faults = []
    limits = httpx.Limits(max_connections=threads)
    with httpx.Client(base_url=url, timeout=120, limits=limits) as client:
        before = count_jobs(client)
        for number in range(keys):
            found = race(client, f"{before}-{number}", threads)
            statuses += found.statuses
            strange = set(found.statuses) - {202, 409}
            faults += [f"statuses {sorted(strange)}"] if strange else []
            faults += [f"{len(found.bodies)} different answers"] if len(found.bodies) != 1 else []
            faults += [f"another body: {found.other_body}"] if found.other_body != 422 else []
        jobs = count_jobs(client) - before
    return statuses, [*faults, *([f"{jobs} jobs of {keys} keys"] if jobs != keys else [])]


def count_jobs(client: httpx.Client) -> int:
    """Every evaluation job of the catalog."""
    found, after = 0, None
    while True:
        params = {"limit": 500, "kind": "evaluation.run"} | ({"after": after} if after else {})
        page = client.get("/v1/jobs", params=params).json()
        found, after = found + len(page["data"]), page["next_cursor"]
        if after is None:
            return found


def measure(keys: int = 50, threads: int = THREADS) -> Row:
    """Race on a service of two API processes."""
    with house(MARKWISE_API_PROCESSES="2", MARKWISE_BATCH_CONCURRENCY="1") as place:
        statuses, faults = races(place.url, keys, threads)
    return Row(
        id="T15",
        fault=f"{threads} callers with the same key at once",
        load=f"{keys} keys, {statuses.total()} sendings",
        survived=keys,
        duplicated=sum("jobs of" in fault for fault in faults),
        failures=tuple(faults[:3]),
        seen=f"{statuses[202]} told the one job, {statuses[409]} x 409; another body 422",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
