"""T14: the API is killed while it answers; clients send the same request again under the same key. Run: python -m tests.chaos.same_key.

However often a request is sent, one job comes of it, and whoever gets an answer gets the same one.
"""

import threading
import time
from contextlib import suppress

import httpx
import psutil

from tests.acceptance.service import serving
from tests.chaos import processes
from tests.chaos.same_key_at_once import count_jobs
from tests.chaos.table import Row, run

REQUESTS, THREADS, KILLS, KILL_EVERY_S = 300, 6, 12, 1.5
ORDER = {"benchmark": "listing", "n": 1}


def measure() -> Row:
    """Send, kill, send again, replay; then count the jobs."""
    with serving() as url:
        answers: dict[int, set[str]] = {number: set() for number in range(REQUESTS)}
        tries = [0]
        senders = [
            threading.Thread(target=send, args=(url, range(first, REQUESTS, THREADS), answers, tries))
            for first in range(THREADS)
        ]
        for sender in senders:
            sender.start()
        kills = kill_api(senders)
        for sender in senders:
            sender.join()
        with httpx.Client(base_url=url, timeout=60) as client:
            for number in range(REQUESTS):
                answers[number].add(ask(client, number))
            jobs = count_jobs(client)
    unlike = sum(len(each) != 1 for each in answers.values())
    doubled = max(0, jobs - REQUESTS)
    failures = (
        *([f"{jobs} jobs of {REQUESTS} requests"] if jobs != REQUESTS else []),
        *([f"{unlike} replays differ"] if unlike else []),
    )
    return Row(
        id="T14",
        fault=f"API SIGKILL {kills} x",
        load=f"{REQUESTS} orders, each under one key, {tries[0]} sendings",
        survived=REQUESTS - unlike,
        lost=max(0, REQUESTS - jobs),
        duplicated=doubled,
        failures=failures,
        seen=f"{jobs} jobs",
    )


def send(url: str, numbers: range, answers: dict[int, set[str]], tries: list[int]) -> None:
    """Send each order until it is answered."""
    with httpx.Client(base_url=url, timeout=30) as client:
        for number in numbers:
            for _ in range(200):
                tries[0] += 1
                with suppress(httpx.HTTPError, AssertionError):
                    answers[number].add(ask(client, number))
                    break
                time.sleep(0.2)


def ask(client: httpx.Client, number: int) -> str:
    """Send an order; returns the job that answers it. A refusal for now is an AssertionError."""
    headers = {"Idempotency-Key": f"same-{number}", "Prefer": "respond-async"}
    answer = client.post("/v1/evaluations", json={**ORDER, "seed": number}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def kill_api(senders: list[threading.Thread]) -> int:
    """Kill the API process while orders come; `serve` starts it again."""
    kills = 0
    while kills < KILLS and any(sender.is_alive() for sender in senders):
        time.sleep(KILL_EVERY_S)
        with suppress(psutil.Error):
            for one in processes.api():
                one.kill()
                kills += 1
    return kills


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
