"""T9: the workers' connections to Redis are cut fifty times. Run: python -m tests.chaos.reconnects [--cuts N].

After a cut Celery has lost its consumer more than once and looked alive. Held: after each cut a job is done within a minute; a worker that
takes nothing ends itself (workers/watchdog.py) and is started again, as `serve` does.
"""

import time

from app.stack.layout import DataFolder
from tests.acceptance.processes import Processes
from tests.chaos.table import Row, run
from tests.chaos.toxics import toxic
from tests.chaos.yard import Yard, yard

AGAIN_S = 60.0


def measure(cuts: int = 50) -> Row:
    """Cut, order, wait; again and again."""
    with yard() as place, toxic(str(DataFolder(home=place.settings.data_folder).redis_socket)) as way:
        through = place.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{way.port}/0"})
        processes = Processes(through, place.processes.log)
        try:
            processes.housekeeping()
            workers = [processes.worker()]
            ledger = place.order("effect", [{}])
            assert place.settle(120) < 120, "no worker works"
            took_s, ended = [], 0
            for number in range(cuts):
                way.reset()
                time.sleep(0.05 * (number % 5))
                ledger += place.order("effect", [{}])
                seconds, again = _settled(place, processes, workers)
                took_s.append(seconds)
                ended += again
            tally = place.tally(ledger)
        finally:
            processes.stop()
    longest_s = max(took_s)
    failures = (*tally.failures, *([f"a job waited {longest_s:.0f} s"] if longest_s > AGAIN_S else []))
    return Row(
        id="T9",
        fault=f"connections to Redis cut {cuts} x",
        load=f"{len(ledger)} jobs, {way.cut} connections cut",
        survived=len(ledger) - tally.lost,
        lost=tally.lost,
        duplicated=tally.doubled,
        recovery_s=longest_s,
        failures=failures,
        seen=f"done after {sorted(took_s)[len(took_s) // 2]:.1f} s in the median; {ended} workers ended by their watchdog",
    )


def _settled(place: Yard, processes: Processes, workers: list) -> tuple[float, int]:
    """Wait until the job is done, and start a worker again that has ended; returns the seconds and how many did."""
    began, ended = time.monotonic(), 0
    while time.monotonic() - began < 2 * AGAIN_S:
        if place.rows("SELECT count(*) FROM jobs WHERE finished_at IS NULL")[0][0] == 0:
            break
        if workers[-1].poll() is not None:
            workers.append(processes.worker())
            ended += 1
        time.sleep(0.05)
    return time.monotonic() - began, ended


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
