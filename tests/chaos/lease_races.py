"""T4: leases fought over in every order, and by eight threads at once. Run: python -m tests.chaos.lease_races [--steps N].

The state machine of tests/integration/queue/test_lease_machine.py with more steps, and threads that claim, beat, finish, release, expire and reap
forty jobs without a plan. Held: no attempt number twice, an effect exactly where a job has succeeded.
"""

import random
import threading
from contextlib import suppress
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine, text

from app.catalog.session import queue_engine, queue_transaction, transaction
from app.queue import leases
from app.queue.tasks import Cancelled, Claim, JobStatus, LeaseLost
from tests.chaos.table import Row, run
from tests.chaos.yard import Yard, yard
from tests.integration.queue.test_lease_machine import EFFECT, Leases
from workers.reaper import Reaper

STEPS_AT_ONCE = 50
THREADS, JOBS, MOVES = 8, 40, 250


def measure(steps: int = 8_000) -> Row:
    """Race in order, then at once."""
    with yard() as place:
        queue = queue_engine(place.settings, pool_size=THREADS)
        try:
            fault = _machine(place, queue, steps)
            attempts, twice = _threads(place, queue)
        finally:
            queue.dispose()
        wrong = place.rows(
            "SELECT count(*) FROM jobs j WHERE (SELECT count(*) FROM effects e WHERE e.job_id = j.id)"
            " <> (j.status = 'succeeded')::int"
        )[0][0]
        done = place.rows("SELECT count(*) FROM jobs WHERE status = 'succeeded'")[0][0]
    failures = (
        *([fault] if fault else []),
        *([f"{twice} attempt numbers given twice"] if twice else []),
        *([f"{wrong} jobs whose effects and state disagree"] if wrong else []),
    )
    return Row(
        id="T4",
        fault="leases fought over",
        load=f"{steps} steps in random order; {THREADS} threads, {attempts} claims of {JOBS} jobs",
        survived=int(done),
        duplicated=int(wrong),
        failures=failures,
        seen=f"{done} of {JOBS} jobs done, each once; {twice} attempt numbers twice",
    )


def _machine(place: Yard, queue: Engine, steps: int) -> str:
    try:
        run_state_machine_as_test(
            lambda: Leases(place.engine, queue, place.tenant),
            settings=settings(
                max_examples=steps // STEPS_AT_ONCE,
                stateful_step_count=STEPS_AT_ONCE,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        return str(error)[:200]
    finally:
        place.rows("DELETE FROM jobs RETURNING 1")
        place.rows("DELETE FROM effects RETURNING 1")
    return ""


def _threads(place: Yard, queue: Engine) -> tuple[int, int]:
    """Return how many claims there were, and how many of them shared job and attempt."""
    ledger = place.order("effect", [{}] * JOBS, max_attempts=10_000)
    claims: list[Claim] = []
    threads = [threading.Thread(target=_moves, args=(place, queue, ledger, claims, seed)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(claims), len(claims) - len({(claim.job_id, claim.attempt) for claim in claims})


def _moves(place: Yard, queue: Engine, ledger: list[UUID], claims: list[Claim], seed: int) -> None:
    chance, mine = random.Random(seed), []
    reaper = Reaper(queue, broker=None, resend_s=1, outstanding=1)
    for _ in range(MOVES):
        move, held = chance.random(), chance.choice(mine) if mine else None
        with suppress(LeaseLost, Cancelled):
            if held is None or move < 0.4:
                with queue_transaction(queue) as session:
                    claim = leases.claim(session, chance.choice(ledger), worker=f"w{seed}", lease_s=60)
                if claim is not None:
                    mine.append(claim)
                    claims.append(claim)
            elif move < 0.55:
                with transaction(place.engine, place.tenant) as session:
                    session.execute(EFFECT, {"job": held.job_id, "attempt": held.attempt})
                    leases.finish(session, held, JobStatus.SUCCEEDED)
            elif move < 0.7:
                with queue_transaction(queue) as session:
                    leases.heartbeat(session, held, lease_s=60)
            elif move < 0.8:
                with queue_transaction(queue) as session:
                    leases.release(session, held, delay_s=0.0)
            elif move < 0.95:
                with queue_transaction(queue) as session:
                    session.execute(
                        text(
                            "UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s' WHERE id = :id AND lease_until > now()"
                        ),
                        {"id": held.job_id},
                    )
            else:
                reaper.reap()


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
