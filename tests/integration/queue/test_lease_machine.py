"""Random orders of claim, beat, expiry, finish, release, cancel, retry and reaping, by workers that never give up.

Whatever the order: an effect is there exactly if the job says that it succeeded, and one worker at most holds a job.
"""

from contextlib import suppress
from uuid import UUID

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, text

from app.catalog.session import queue_transaction, transaction
from app.errors import Conflict
from app.queue import control, leases
from app.queue.leases import Beat
from app.queue.outbox import enqueue
from app.queue.tasks import Cancelled, Claim, JobStatus, LeaseLost
from workers.reaper import Reaper

EFFECT = text("INSERT INTO effects (job_id, attempt) VALUES (:job, :attempt)")
STATES = text(
    "SELECT status, attempt, max_attempts, (SELECT count(*) FROM effects WHERE job_id = jobs.id) AS effects FROM jobs"
)


class Leases(RuleBasedStateMachine):
    """One job, any number of workers, each remembering its claim for ever."""

    claims = Bundle("claims")

    def __init__(self, engine: Engine, queue: Engine, tenant: UUID) -> None:
        super().__init__()
        self.engine, self.queue, self.tenant = engine, queue, tenant
        self.reaper = Reaper(queue, broker=None, resend_s=1, outstanding=1)  # type: ignore[arg-type]  # it reaps only
        self.runs = 0
        self.seen_attempts: set[int] = set()
        with transaction(engine, tenant) as session:
            session.execute(text("DELETE FROM jobs"))
            self.job_id = enqueue(session, kind="k", queue="batch", payload={}).id

    @rule(target=claims)
    def claim(self) -> Claim | None:
        with queue_transaction(self.queue) as session:
            claim = leases.claim(session, self.job_id, worker="w", lease_s=60)
        if claim is not None:
            assert claim.attempt not in self.seen_attempts, "an attempt number came twice: the fence is gone"
            self.seen_attempts.add(claim.attempt)
        return claim

    @rule(claim=claims)
    def beat(self, claim: Claim | None) -> None:
        if claim is not None:
            with queue_transaction(self.queue) as session:
                beat = leases.heartbeat(session, claim, lease_s=60)
            assert beat is Beat.LOST or claim.attempt == max(self.seen_attempts)

    @rule(claim=claims, status=st.sampled_from([JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED]))
    def finish(self, claim: Claim | None, status: JobStatus) -> None:
        if claim is None:
            return
        with suppress(LeaseLost, Cancelled), transaction(self.engine, self.tenant) as session:
            if status is JobStatus.SUCCEEDED:
                session.execute(EFFECT, {"job": self.job_id, "attempt": claim.attempt})
            leases.finish(session, claim, status)

    @rule(claim=claims, counts=st.booleans())
    def release(self, claim: Claim | None, counts: bool) -> None:
        if claim is not None:
            with suppress(LeaseLost, Cancelled), queue_transaction(self.queue) as session:
                leases.release(session, claim, delay_s=0.0, counts=counts)

    @rule()
    def cancel(self) -> None:
        with transaction(self.engine, self.tenant) as session:
            control.cancel(session, self.job_id)

    @rule()
    def retry_unless_it_succeeded(self) -> None:
        with suppress(Conflict), transaction(self.engine, self.tenant) as session:
            control.retry(session, self.job_id)

    @rule()
    def expire(self) -> None:
        with queue_transaction(self.queue) as session:
            session.execute(
                text("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until IS NOT NULL")
            )

    @rule()
    def reap(self) -> None:
        self.reaper.reap()

    @invariant()
    def effect_and_state_agree(self) -> None:
        with transaction(self.engine, self.tenant) as session:
            row = session.execute(STATES).one()
        assert row.effects == (1 if row.status == "succeeded" else 0), tuple(row)
        assert row.attempt <= row.max_attempts


def test_no_order_of_events_breaks_the_fence(engine, queue_engine, tenant, effects_table) -> None:
    run_state_machine_as_test(
        lambda: Leases(engine, queue_engine, tenant),
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
