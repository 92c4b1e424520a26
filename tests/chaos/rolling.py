"""T13: processes told to stop under load, one after the other, twenty times. Run: python -m tests.chaos.rolling [--restarts N].

Callers ask fifty times a second, each on a connection that is kept or on a new one; some wait for their marks. Held: no request fails,
every process has ended within 30 s of being told, and every order is done, once.
"""

import asyncio
import itertools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import psutil

from tests.acceptance.service import drawn
from tests.chaos import processes
from tests.chaos.house import FORM, House, house, job_of, settled
from tests.chaos.table import Row, run

PER_S = 50
ENDED_S = 30.0


@dataclass(slots=True, kw_only=True)
class Load:
    """What callers were told, while `over` is not set."""

    url: str
    statuses: Counter[int] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    ledger: list[str] = field(default_factory=list)
    made: int = 0
    over: bool = False

    async def go_on(self, per_s: int) -> None:
        """Ask at an even pace: of 10 requests 6 read, 3 bring a picture, 1 orders marks."""
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=self.url, timeout=40, limits=limits) as kept:
            tasks: set[asyncio.Task[None]] = set()
            began = time.monotonic()
            for number in itertools.count():
                if self.over:
                    break
                task = asyncio.create_task(self._one(kept, number))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
            await asyncio.gather(*tasks)

    async def _one(self, kept: httpx.AsyncClient, number: int) -> None:
        try:
            if number % 2:
                answer = await self._ask(kept, number)
            else:
                async with httpx.AsyncClient(base_url=self.url, timeout=40) as fresh:
                    answer = await self._ask(fresh, number)
        except httpx.HTTPError as error:
            self.failed.append(
                f"{'kept' if number % 2 else 'new'} connection, kind {number % 10}: {type(error).__name__}"
            )
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 400:
            self.failed.append(f"{answer.status_code} {answer.text[:100]}")
        elif answer.status_code == 202:
            self.ledger.append(job_of(answer))
        elif number % 10 == 9:
            self.made += 1

    async def _ask(self, client: httpx.AsyncClient, number: int) -> httpx.Response:
        kind = number % 10
        if kind < 6:
            return await client.get("/v1/images", params={"limit": 1})
        data = {"file": drawn(number, (160, 120))}
        if kind < 9:
            return await client.post("/v1/images", files=data)
        wait = "respond-async" if number % 20 == 9 else "wait=30"
        return await client.post("/v1/marksets", files=data, data=FORM, headers={"Prefer": wait})


def measure(restarts: int = 20, per_s: int = PER_S) -> Row:
    """Ask, restart, wait, count."""
    with house(MARKWISE_API_PROCESSES="2", MARKWISE_QUEUE_LIMIT="0", MARKWISE_CAPACITY="0") as place:
        load = Load(url=place.url)
        callers = threading.Thread(target=lambda: asyncio.run(load.go_on(per_s)))
        callers.start()
        time.sleep(1)
        took_s = [restart(place, number) for number in range(restarts)]
        load.over = True
        callers.join()
        with place.client() as client:
            good, stuck, settled_s = settled(client, load.ledger, 120)
        doubled = place.rows("SELECT count(*) - count(DISTINCT image_id) FROM mark_sets")[0][0]
    asked = sum(load.statuses.values()) + sum("connection" in failed for failed in load.failed)
    lost = len(load.ledger) - good
    slowest_s = max(took_s)
    failures = (
        *(
            [
                f"{len(load.failed)} requests failed: {', '.join(f'{n} x {w}' for w, n in Counter(load.failed).most_common(3))}"
            ]
            if load.failed
            else []
        ),
        *([f"{lost} lost"] if lost else []),
        *([f"{stuck} stuck"] if stuck else []),
        *([f"{doubled} duplicated"] if doubled else []),
        *([f"a process took {slowest_s:.0f} s to end"] if slowest_s > ENDED_S else []),
    )
    return Row(
        id="T13",
        fault=f"SIGTERM, {restarts} rolling restarts",
        load=f"{asked} requests, {per_s}/s",
        survived=asked - len(load.failed),
        lost=lost + len(load.failed),
        duplicated=int(doubled),
        recovery_s=settled_s,
        failures=failures,
        seen=f"{len(load.ledger)} jobs by 202, {load.made} marked while waited for; the slowest process ended in {slowest_s:.1f} s",
    )


def restart(place: House, number: int) -> float:
    """Tell the oldest API process, or every third time the oldest worker, to stop; return how long it took, once another is there."""
    family = processes.workers if number % 3 == 2 else processes.api
    parents = [one for one in family() if one.parent() and "app.cli" in " ".join(one.parent().cmdline())]
    victim = min(parents, key=psutil.Process.create_time)
    began = time.monotonic()
    victim.terminate()
    victim.wait(60)
    took_s = time.monotonic() - began
    ready(place, len(parents), family is processes.api)
    return took_s


def ready(place: House, count: int, api: bool) -> None:
    """Wait until as many processes are there again, and an API process serves: told by its connections to Postgres."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        alive = processes.api() if api else processes.workers()
        listening = place.rows("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'markwise-listener'")[0][
            0
        ]
        if len(alive) >= count and (not api or listening >= count):
            return
        time.sleep(0.1)


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
