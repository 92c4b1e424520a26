"""D1: Postgres crashes right after answers of the direct path were given. Run: python -m tests.chaos.answers.

What README and the API's documentation promise: with an `Idempotency-Key` the record of an answer is on disk before the response; without
one it is readable at once and on disk within a second. So of the first none may be lost, of the others only those of the last second.
"""

import signal
import time
from uuid import uuid4

import httpx

from tests.chaos import processes
from tests.chaos.flood import asking
from tests.chaos.table import Row, run

ROUNDS, EACH = 3, 10
HASTY_S = 1.0


def measure() -> Row:
    """Answer, crash, come back, look; three times."""
    lost = forgotten = old = given = 0
    longest_s = 0.0
    with asking(20, pictures=2) as (url, asked), httpx.Client(base_url=url, timeout=60) as client:
        for _ in range(ROUNDS):
            plain = [_asked(client, asked, number, {}) for number in range(EACH)]
            keyed = [_asked(client, asked, number, {"Idempotency-Key": str(uuid4())}) for number in range(EACH)]
            last = [_asked(client, asked, number, {}) for number in range(EACH)]
            crashed_at = time.monotonic()
            _crash_postgres()
            longest_s = max(longest_s, _back(client))
            given += 3 * EACH
            lost += sum(not _found(client, answer) for answer, _ in keyed)
            gone = [at for answer, at in (*plain, *last) if not _found(client, answer)]
            forgotten += len(gone)
            old += sum(crashed_at - at > HASTY_S for at in gone)
    failures = (
        *([f"{lost} answers with a key lost"] if lost else []),
        *([f"{old} answers older than {HASTY_S:.0f} s lost"] if old else []),
    )
    return Row(
        id="D1",
        fault=f"Postgres crashes {ROUNDS} x",
        load=f"{given} direct answers, a third with a key",
        survived=given - lost - forgotten,
        lost=lost + old,
        recovery_s=longest_s,
        failures=failures,
        seen=f"{forgotten} without a key, from the last second, are not in the catalog",
    )


def _asked(client: httpx.Client, asked: list[bytes], number: int, headers: dict[str, str]) -> tuple[str, float]:
    """Return an answer's id and when it was given."""
    body = asked[number % len(asked)]
    answer = client.post("/v1/ground", content=body, headers={"Content-Type": "application/json"} | headers)
    return str(answer.raise_for_status().json()["id"]), time.monotonic()


def _crash_postgres() -> None:
    """End it without a checkpoint and without writing what is in memory, as `pg_ctl stop -m immediate` does."""
    master = processes.postgres()
    master.send_signal(signal.SIGQUIT)
    master.wait(20)


def _back(client: httpx.Client) -> float:
    """Seconds until the catalog answers again."""
    began = time.monotonic()
    while time.monotonic() - began < 60:
        if client.get("/v1/answers", params={"limit": 1}).status_code == httpx.codes.OK:
            break
        time.sleep(0.1)
    return time.monotonic() - began


def _found(client: httpx.Client, answer_id: str) -> bool:
    for _ in range(20):
        status = client.get(f"/v1/answers/{answer_id}").status_code
        if status in (200, 404):
            return status == httpx.codes.OK
        time.sleep(0.2)
    raise AssertionError("the catalog does not come back")


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
