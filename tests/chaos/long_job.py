"""T5: a job ten times as long as its lease, hinted five hundred times. Run: python -m tests.chaos.long_job [--seconds N].

Held: one attempt, one effect, and never two holders; the kernel's lock on a file says so, not our own word.
"""

import json
import time
from pathlib import Path

from app.queue.envelope import hint_of
from tests.chaos.table import Row, counted, run
from tests.chaos.yard import yard

LEASE_S, BEAT_S = 3.0, 0.5
HINTS = 500


def measure(seconds: float = 30.0, hints: int = HINTS) -> Row:
    """Order one, hint it again and again while it runs, and count."""
    with yard(lease_s=LEASE_S, heartbeat_s=BEAT_S) as place:
        workers = place.staffed(3)
        lock = place.settings.data_folder / "held"
        place.order("effect", [{}] * 6)
        place.settle(60)
        (job,) = ledger = place.order("alone", [{"seconds": seconds, "lock": str(lock)}], max_attempts=20)
        with place.redis() as client:
            for _ in range(hints):
                client.lpush("batch", json.dumps(hint_of(job, "batch")))
                time.sleep(seconds / hints * 0.8)
        place.settle(seconds + 60)
        tally, shared = place.tally(ledger), _lines(lock)
        ended = sum(worker.poll() is not None for worker in workers)
    broken = {"times held by two": shared, "attempts too many": tally.redone, "workers ended": ended}
    return Row(
        id="T5",
        fault=f"a job of {seconds:.0f} s under a lease of {LEASE_S:.0f} s",
        load=f"{hints} hints for it, 3 workers",
        survived=1 - tally.lost,
        lost=tally.lost,
        duplicated=tally.doubled,
        failures=(*tally.failures, *counted(broken)),
        seen=f"{1 + tally.redone} attempt, {shared} moments with two holders",
    )


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
