"""T6: workers that sleep past their leases and wake. Run: python -m tests.chaos.zombies.

A worker is stopped in the middle of a job for three times its lease, another takes the job over, the first wakes and goes on. Held: no
effect of a lost attempt, none twice, none missing; and the sleeper lets go of the job within one heartbeat of waking.
"""

import re
import signal
import time
from subprocess import Popen

import psutil

from tests.chaos.table import Row, counted, run
from tests.chaos.yard import Yard, yard

JOBS, NAPS = 200, 6
LEASE_S, BEAT_S = 2.0, 0.5
SPARE_S = 0.5
_LOST = re.compile(r"attempt \d+: lost in")


def measure(jobs: int = JOBS, naps: int = NAPS) -> Row:
    """Order, put a worker to sleep again and again, and compare."""
    with yard(lease_s=LEASE_S, heartbeat_s=BEAT_S) as place:
        workers = place.staffed(2)
        ledger = place.order("effect", [{"seconds": 0.2 + 0.1 * (n % 5)} for n in range(jobs)], max_attempts=50)
        woke_s = [nap(place, workers[number % 2]) for number in range(naps)]
        settled_s = place.settle(120)
        tally = place.tally(ledger)
        late = place.rows("SELECT count(*) FROM effects e JOIN jobs j ON j.id = e.job_id AND j.attempt <> e.attempt")[
            0
        ][0]
    asleep = [took for took in woke_s if took is not None]
    slow = max(asleep, default=0.0)
    failures = (
        *tally.failures,
        *counted({"late writes": late}),
        *(["no worker slept over a job"] if not asleep else []),
        *([f"let go after {slow:.1f} s"] if slow > BEAT_S + SPARE_S else []),
    )
    return Row(
        id="T6",
        fault=f"worker SIGSTOP for {3 * LEASE_S:.0f} s, {naps} x",
        load=f"{jobs} jobs",
        survived=jobs - tally.lost,
        lost=tally.lost,
        duplicated=tally.doubled,
        recovery_s=settled_s,
        failures=failures,
        seen=f"{late} late writes; {len(asleep)} sleepers held a job and let go within {slow:.2f} s; {tally.redone} redone",
    )


def nap(place: Yard, worker: "Popen[bytes]") -> float | None:
    """Put a worker to sleep in the middle of a job; returns the seconds from waking to letting go, None if it had no job."""
    holds = f"SELECT count(*) FROM jobs WHERE status = 'running' AND worker ~ '{_children(worker)}'"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not place.rows(holds)[0][0]:
        time.sleep(0.01)
    place.processes.kill(worker, signal.SIGSTOP)
    time.sleep(3 * LEASE_S)
    before = len(_LOST.findall(place.processes.log.read_text()))
    woken = time.monotonic()
    place.processes.kill(worker, signal.SIGCONT)
    while time.monotonic() - woken < 5:
        if len(_LOST.findall(place.processes.log.read_text())) > before:
            return time.monotonic() - woken
        time.sleep(0.01)
    return None


def _children(worker: "Popen[bytes]") -> str:
    """A pattern for the names of a worker's pool processes: machine, process, chance."""
    pids = [str(child.pid) for child in psutil.Process(worker.pid).children(recursive=True)]
    return f":({'|'.join(pids)}):"


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
