"""L4: twenty thousand requests, a fifth of them hung up on in the middle. Run: python -m tests.chaos.leaks [--requests N].

Held: files, threads, Postgres connections and temporary files of the API process are what they were after the first thousand, give
or take two; its memory has grown by at most 64 MB.
"""

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.chaos import processes
from tests.chaos.flood import Callers, Flood, asking, flood
from tests.chaos.table import Row, run

AT_ONCE = 32
ABORTS = 0.2
WARM = 1_000
SPARE = 2
MOST_GROWTH_MB = 64
SETTLED_S = 8.0  # kept-alive connections to the model server are let go after 4 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the API process holds."""

    files: int
    threads: int
    postgres: int
    temporary: int
    rss_mb: float


def measure(requests: int = 20_000) -> Row:
    """Ask, hang up, and count what is left."""
    with asking(5, MARKWISE_LOG_LEVEL="WARNING") as (url, asked):
        # Callers come and go in both, so that pools are as full before as after.
        flood(url, asked, Callers(count=AT_ONCE, requests=WARM, abort_share=ABORTS))
        before = _held()
        done = flood(url, asked, Callers(count=AT_ONCE, requests=requests, abort_share=ABORTS, seed=1))
        after = _held()
    return _row(done, before, after, requests)


def _row(done: Flood, before: Held, after: Held, requests: int) -> Row:
    grown = {
        name: getattr(after, name) - getattr(before, name) for name in ("files", "threads", "postgres", "temporary")
    }
    growth_mb = after.rss_mb - before.rss_mb
    strange = sum(count for status, count in done.statuses.items() if status not in (200, 503))
    failures = (
        *(f"{count:+d} {name}" for name, count in grown.items() if count > SPARE),
        *([f"{growth_mb:+.0f} MB"] if growth_mb > MOST_GROWTH_MB else []),
        *([f"{strange} strange answers"] if strange else []),
        *([f"{done.broken} connections broken by us"] if done.broken else []),
    )
    return Row(
        id="L4",
        fault=f"{done.aborted} clients hang up",
        load=f"{requests} requests, {AT_ONCE} at once",
        survived=done.statuses[200],
        lost=done.broken,
        failures=failures,
        seen=", ".join(f"{name} {count:+d}" for name, count in grown.items()) + f", memory {growth_mb:+.0f} MB",
    )


def _held() -> Held:
    time.sleep(SETTLED_S)
    (api,) = processes.api()
    temporary = [one for one in Path(tempfile.gettempdir()).iterdir() if _of(one, api)]
    return Held(
        files=api.num_fds(),
        threads=api.num_threads(),
        postgres=len(processes.connections()),
        temporary=len(temporary),
        rss_mb=api.memory_info().rss / 2**20,
    )


def _of(file: Path, process: psutil.Process) -> bool:
    """Whether a temporary file is younger than the process: other programs' files come and go as well, so the spare is theirs."""
    try:
        made = file.lstat()
    except OSError:
        return False
    return made.st_uid == os.getuid() and made.st_ctime >= process.create_time() and file.name.startswith("tmp")


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
