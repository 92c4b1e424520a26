"""T8: Redis is emptied, full, refuses the password, is gone. Run: python -m tests.chaos.redis_faults [--seconds N].

Orders go on all the while. Held: every one of them is answered 202, is done within 30 s of Redis' return, and done once.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import redis

from tests.chaos import processes
from tests.chaos.house import House, house, job_of, order, settled
from tests.chaos.table import Row, run

EVERY_S = 0.25
BACK_S = 30.0


@contextmanager
def emptied(place: House) -> Iterator[None]:
    """FLUSHALL, now and at the end: the hints of both sides are gone."""
    with place.redis() as client:
        client.flushall()
        yield
        client.flushall()


@contextmanager
def full(place: House) -> Iterator[None]:
    """No room for a single hint."""
    with place.redis() as client:
        client.config_set("maxmemory", "1")
        try:
            yield
        finally:
            client.config_set("maxmemory", "256mb")


@contextmanager
def locked(place: House) -> Iterator[None]:
    """A password that nobody told us; who is connected is thrown out."""
    with place.redis() as client:
        client.config_set("requirepass", "another")
    with redis.Redis(unix_socket_path=str(place.folder.redis_socket), password="another") as client:
        client.client_kill_filter(_type="normal", skipme=True)
        try:
            yield
        finally:
            client.config_set("requirepass", "")


@contextmanager
def stopped(place: House) -> Iterator[None]:
    """There, and silent: connections are taken and nothing is answered."""
    server = processes.redis()
    server.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.send_signal(signal.SIGCONT)


@contextmanager
def gone(_: House) -> Iterator[None]:
    """Killed as often as it is started again."""
    over = threading.Event()

    def kill() -> None:
        while not over.wait(0.1):
            with suppress(psutil.Error, ValueError):
                processes.redis().kill()

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


FAULTS = {"emptied": emptied, "full": full, "locked": locked, "silent": stopped, "gone": gone}


def measure(seconds: float = 8.0) -> Row:
    """Order through each fault, and wait for what was ordered."""
    ledger: list[str] = []
    refused: list[str] = []
    late: list[str] = []
    longest_s = 0.0
    with house(MARKWISE_QUEUE_LIMIT="0") as place, place.client() as client:
        for name, fault in FAULTS.items():
            mine = []
            with fault(place):
                ends_at = time.monotonic() + seconds
                while time.monotonic() < ends_at:
                    answer = order(client, len(ledger) + len(mine))
                    if answer.status_code == 202:
                        mine.append(job_of(answer))
                    else:
                        refused.append(f"{name}: {answer.status_code}")
                    time.sleep(EVERY_S)
            _, stuck, took_s = settled(client, mine, 3 * BACK_S)
            longest_s = max(longest_s, took_s)
            late += [f"{name}: {took_s:.0f} s"] if took_s > BACK_S or stuck else []
            ledger += mine
        good, stuck, _ = settled(client, ledger, 5)
        doubled = place.rows("SELECT count(*) - count(DISTINCT image_id) FROM mark_sets")[0][0]
    failures = (
        *([f"{len(refused)} orders refused, {refused[0]}"] if refused else []),
        *([f"{len(ledger) - good} lost"] if good != len(ledger) else []),
        *([f"{stuck} stuck"] if stuck else []),
        *([f"{doubled} duplicated"] if doubled else []),
        *([f"drained late, {', '.join(late)}"] if late else []),
    )
    return Row(
        id="T8",
        fault=f"Redis {', '.join(FAULTS)}, {seconds:.0f} s each",
        load=f"{len(ledger)} orders over HTTP",
        survived=good,
        lost=len(ledger) - good + len(refused),
        duplicated=int(doubled),
        recovery_s=longest_s,
        failures=failures,
        seen=f"{len(refused)} orders not answered 202",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
