"""T10: Postgres restarted, out of connections, behind a lock, out of disk. Run: python -m tests.chaos.postgres_faults [--seconds N].

Orders and reads go on all the while. Held: a caller hears nothing worse than 503 with `Retry-After`, orders are taken again within 15 s of
each fault's end, what was acknowledged is done, once, and every table can be read to its end. The disk is a small tmpfs, for which one
has to be root; elsewhere the row says that it was left out.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psycopg

from app.stack import postgres_server
from tests.chaos import processes
from tests.chaos.house import House, house, job_of, order, settled, until
from tests.chaos.table import Row, run

EVERY_S = 0.2
BACK_S = 15.0
DISK_MB = 400


@contextmanager
def restarted(_: House) -> Iterator[None]:
    """Ended without a checkpoint, twice, as in a failover; `serve` starts it again."""
    for _turn in range(2):
        with suppress(ValueError):
            processes.postgres().send_signal(signal.SIGQUIT)
        time.sleep(2)
    yield


@contextmanager
def crowded(place: House) -> Iterator[None]:
    """Every connection that is left is ours, and whoever loses one does not get it back."""
    with ExitStack() as held, place.owner() as owner:
        with suppress(psycopg.Error):
            while True:
                url = postgres_server.url(place.folder, user="markwise_app")
                held.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=5))
        owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'markwise-api'")
        yield


@contextmanager
def behind_a_lock(place: House) -> Iterator[None]:
    """Somebody holds the tables that every order writes to."""
    with place.owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE jobs, images, outbox IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def out_of_disk(place: House) -> Iterator[None]:
    """Not a byte is free where Postgres and the blobs lie."""
    ballast = place.folder.home / "ballast"

    def fill() -> None:
        with suppress(OSError), ballast.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(65_536))

    over = threading.Event()
    fill()
    # What is freed meanwhile is taken as well.
    refill = threading.Thread(target=lambda: [fill() for _ in iter(lambda: over.wait(0.2), True)], daemon=True)
    refill.start()
    try:
        yield
    finally:
        over.set()
        refill.join()
        ballast.unlink()


FAULTS = {"restarted": restarted, "out of connections": crowded, "locked": behind_a_lock, "out of disk": out_of_disk}


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A folder on a tmpfs of its own, None where we may not mount one."""
    folder = Path(tempfile.mkdtemp(prefix="mw-disk-"))
    argv = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=711", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(argv, capture_output=True, check=False).returncode == 0
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


class Asking:
    """Orders and reads at an even pace; keeps what was acknowledged, and what should not have been said."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.ledger: list[str] = []
        self.refused, self.asked = 0, 0
        self.strange: list[str] = []

    def once(self, name: str) -> bool:
        """Order once and read once; returns whether the order was taken."""
        self.asked += 2
        taken = False
        try:
            answers = order(self._client, 7_000 + self.asked), self._client.get("/v1/marksets", params={"limit": 3})
        except httpx.HTTPError as error:
            self.strange.append(f"{name}: {type(error).__name__}")
            return False
        for answer in answers:
            if answer.status_code == 202:
                self.ledger.append(job_of(answer))
                taken = True
            elif answer.status_code == 503 and "retry-after" in answer.headers:
                self.refused += 1
            elif answer.status_code != 200:
                self.strange.append(f"{name}: {answer.status_code} {answer.text[:80]}")
        return taken


def measure(seconds: float = 10.0) -> Row:
    """Order through each fault, see how soon orders are taken again, and wait for what was ordered."""
    late, longest_s = [], 0.0
    with small_disk() as disk:
        faults = {name: fault for name, fault in FAULTS.items() if disk is not None or fault is not out_of_disk}
        with house(disk, MARKWISE_QUEUE_LIMIT="0") as place, place.client() as client:
            asking = Asking(client)
            for name, fault in faults.items():
                with fault(place):
                    ends_at = time.monotonic() + seconds
                    while time.monotonic() < ends_at:
                        asking.once(name)
                        time.sleep(EVERY_S)
                back_s = until(lambda name=name: asking.once(name), 4 * BACK_S)
                longest_s = max(longest_s, back_s)
                late += [f"{name}: {back_s:.0f} s"] if back_s > BACK_S else []
            good, stuck, _ = settled(client, asking.ledger, 120)
            doubled = place.rows("SELECT count(*) - count(DISTINCT image_id) FROM mark_sets")[0][0]
            corrupt = unreadable(place)
    lost = len(asking.ledger) - good
    failures = (
        *([f"{len(asking.strange)} strange answers, {asking.strange[0]}"] if asking.strange else []),
        *([f"{lost} lost"] if lost else []),
        *([f"{stuck} stuck"] if stuck else []),
        *([f"{doubled} duplicated"] if doubled else []),
        *([f"back late, {', '.join(late)}"] if late else []),
        *corrupt,
    )
    left_out = "" if disk is not None else "; out of disk left out, it takes root"
    return Row(
        id="T10",
        fault=f"Postgres {', '.join(faults)}, {seconds:.0f} s each",
        load=f"{asking.asked} requests, {len(asking.ledger)} orders taken",
        survived=good,
        lost=lost,
        duplicated=int(doubled),
        recovery_s=longest_s,
        failures=failures,
        seen=f"{asking.refused} answered 503 with Retry-After{left_out}",
    )


def unreadable(place: House) -> list[str]:
    """Read every row of every table, and every blob that an image names."""
    tables = [row[0] for row in place.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    bad = []
    for table in tables:
        try:
            place.rows(f"SELECT count({table}::text) FROM {table}")
        except psycopg.Error as error:
            bad.append(f"{table} cannot be read: {type(error).__name__}")
    blobs = place.folder.home / "blobs"
    named = place.rows("SELECT blob_key FROM images UNION SELECT overlay_blob_key FROM mark_sets")
    missing = sum(not (blobs / row[0]).is_file() for row in named)
    return [*bad, *([f"{missing} blobs missing"] if missing else [])]


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
