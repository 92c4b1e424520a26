"""T7: jobs that end their worker, among good ones. Run: python -m tests.chaos.poison.

They kill themselves, reach for memory that is not theirs, abort or leave; others ask for two gigabytes that they do not get. Held: every good
job is done, once; what ends its worker is parked after exactly three attempts, what gets no memory fails at once and in our words.
"""

from tests.chaos.table import Row, counted, run
from tests.chaos.yard import yard

DEATHS = ("kill", "segfault", "abort", "leave")
MOST_RESTARTS = 60


def measure(good: int = 200, poisonous: int = 16, hungry: int = 4) -> Row:
    """Order all of them at once, and look at each."""
    with yard() as place:
        workers = place.staffed(2)
        deaths = place.order("poison", [{"how": DEATHS[number % len(DEATHS)]} for number in range(poisonous)])
        ledger = place.order("effect", [{"seconds": 0.02}] * good)
        starving = place.order("hungry", [{}] * hungry)
        settled_s = place.settle(240)
        tally = place.tally(ledger)
        told = "SELECT status, attempt, error->>'code' FROM jobs WHERE id = ANY(%s)"
        parked = place.rows(told, deaths).count(("failed", 3, "job.parked"))
        starved = place.rows(told, starving).count(("failed", 1, "model.out_of_memory"))
        restarts = place.rows("SELECT sum(attempt) FROM jobs WHERE id = ANY(%s)", deaths)[0][0]
        ended = sum(worker.poll() is not None for worker in workers)
    broken = {
        "were not parked after three attempts": poisonous - parked,
        "did not fail for want of memory": hungry - starved,
        "restarts": restarts if restarts > MOST_RESTARTS else 0,
        "workers ended": ended,
    }
    return Row(
        id="T7",
        fault=f"{poisonous} jobs end their worker, {hungry} want too much memory",
        load=f"{good} good jobs",
        survived=good - tally.lost,
        lost=tally.lost,
        duplicated=tally.doubled,
        recovery_s=settled_s,
        failures=(*tally.failures, *counted(broken)),
        seen=f"{parked} parked after 3 attempts, {restarts} pool processes replaced, {starved} failed in our words",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
