"""T1: workers, Redis and Postgres killed again and again under 200 orders over HTTP. Run: python -m tests.chaos.kills.

Every order that was acknowledged with 202 is in the ledger. Afterwards each of them has succeeded, and made exactly one mark set.
"""

import random
import signal
import threading
import time
from contextlib import suppress

import httpx
import psutil

from tests.acceptance.service import drawn, serving
from tests.chaos import processes
from tests.chaos.table import Row, run

ORDERS, KILL_EVERY_S, SERVERS_KILLED, SETTLED_S = 200, 2.0, 3, 120.0
REGIONS = [{"bbox_xyxy_px": [30, 40, 110, 120]}]


def measure() -> Row:
    """Order while things die, wait, compare the ledger with the catalog."""
    with serving(MARKWISE_LEASE_S="4", MARKWISE_HEARTBEAT_S="1", MARKWISE_MAX_ATTEMPTS="20") as url:
        killer = Killer()
        killer.start()
        ledger, at_once, refused = order(url)
        killer.stop()
        ended_at = time.monotonic()
        jobs = settle(url, ledger)
        recovery_s = time.monotonic() - ended_at
        made = mark_sets(url)
    lost = [job for job in ledger if jobs.get(job, {}).get("status") != "succeeded"]
    stuck = [job for job in lost if jobs.get(job, {}).get("status") in {"queued", "running", None}]
    doubled = len(made) - len(set(made))
    missing = ORDERS - len(set(made))
    redone = sum(jobs[job]["attempt"] - 1 for job in ledger if job in jobs) / len(ledger)
    failures = (
        *([f"{len(lost)} lost"] if lost else []),
        *([f"{len(stuck)} stuck"] if stuck else []),
        *([f"{doubled} duplicated"] if doubled else []),
        *([f"{missing} orders without a mark set"] if missing else []),
    )
    return Row(
        id="T1",
        fault=f"worker SIGKILL every {KILL_EVERY_S:.0f} s ({killer.workers} x), Redis and Postgres {SERVERS_KILLED} x each",
        load=f"{ORDERS} orders over HTTP",
        survived=len(set(made)),
        lost=len(lost),
        duplicated=doubled,
        recovery_s=recovery_s,
        failures=failures,
        seen=f"{redone:.1%} redone, {refused} requests answered 503 and sent again, {at_once} answered with what was done by then",
    )


def order(url: str) -> tuple[list[str], int, int]:
    """Order a mark set of each of 200 pictures.

    Returns the jobs that were acknowledged, how many orders were answered with the mark set, because one whose answer was lost had
    been taken and done, and how many requests were refused.
    """
    ledger, at_once, refused = [], 0, 0
    with httpx.Client(base_url=url, timeout=30) as client:
        for number in range(ORDERS):
            key = {"Idempotency-Key": f"order-{number}", "Prefer": "respond-async"}
            body = {"segmenter": "provided", "regions": str(REGIONS).replace("'", '"')}
            for _ in range(100):
                with suppress(httpx.HTTPError):
                    files = {"file": drawn(10_000 + number, (160, 120))}
                    answer = client.post("/v1/marksets", files=files, data=body, headers=key)
                    if answer.status_code == 202:
                        ledger.append(answer.headers["location"].rpartition("/")[2])
                        break
                    if answer.status_code in {200, 201}:
                        at_once += 1
                        break
                    assert answer.status_code in {409, 503}, answer.text
                refused += 1
                time.sleep(0.3)
    return ledger, at_once, refused


def settle(url: str, ledger: list[str]) -> dict[str, dict]:
    """Wait until every job is over, and return them by id."""
    deadline, jobs = time.monotonic() + SETTLED_S, {}
    with httpx.Client(base_url=url, timeout=30) as client:
        while time.monotonic() < deadline:
            for job in ledger:
                if jobs.get(job, {}).get("finished_at") is None:
                    with suppress(httpx.HTTPError, ValueError):
                        jobs[job] = client.get(f"/v1/jobs/{job}").json()
            if all(jobs.get(job, {}).get("finished_at") for job in ledger):
                break
            time.sleep(0.5)
    return jobs


def mark_sets(url: str) -> list[str]:
    """The image of every mark set in the catalog."""
    found, after = [], None
    with httpx.Client(base_url=url, timeout=30) as client:
        while True:
            page = client.get("/v1/marksets", params={"limit": 500} | ({"after": after} if after else {})).json()
            found += [each["image"]["id"] for each in page["data"]]
            after = page["next_cursor"]
            if after is None:
                return found


class Killer(threading.Thread):
    """Kills processes of this test's own service, and nothing else."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._random, self._done = random.Random(7), threading.Event()
        self.workers = 0

    def run(self) -> None:
        """A worker every two seconds; now and then a server."""
        turns = 0
        servers = ["redis", "postgres"] * SERVERS_KILLED
        while not self._done.wait(KILL_EVERY_S):
            turns += 1
            with suppress(psutil.Error, IndexError):
                self._random.choice(processes.workers()).kill()
                self.workers += 1
            if turns % 2 == 0 and servers:
                with suppress(psutil.Error, ValueError):
                    end_server(servers.pop())

    def stop(self) -> None:
        """Kill nothing any more."""
        self._done.set()
        self.join(10)


def end_server(name: str) -> None:
    """Redis without saving, Postgres as after a power cut."""
    if name == "redis":
        processes.redis().kill()
    else:
        processes.postgres().send_signal(signal.SIGQUIT)


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
