"""Claims, heartbeats and the fence, on a real Postgres."""

import threading
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, and_, text

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobRow
from app.queue import leases
from app.queue.control import cancel
from app.queue.leases import Beat
from app.queue.tasks import Cancelled, JobStatus, LeaseLost
from tests.integration.queue.conftest import count_effects


def expire(engine: Engine) -> None:
    with queue_transaction(engine) as session:
        session.execute(
            text("UPDATE jobs SET lease_until = clock_timestamp() - interval '1 second' WHERE lease_until IS NOT NULL")
        )


def finish_with_effect(engine: Engine, tenant: UUID, claim) -> None:
    with transaction(engine, tenant) as session:
        session.execute(
            text("INSERT INTO effects (job_id, attempt) VALUES (:job, :attempt)"),
            {"job": claim.job_id, "attempt": claim.attempt},
        )
        leases.finish(session, claim, JobStatus.SUCCEEDED, result={})


def test_a_job_is_claimed_once(order, claim) -> None:
    job_id = order()
    first = claim(job_id)
    assert first is not None
    assert first.attempt == 1
    assert claim(job_id) is None


def test_an_unknown_job_is_not_claimed(claim, database) -> None:
    assert claim(uuid4()) is None


def test_of_many_claims_at_once_one_wins(order, claim) -> None:
    job_id = order()
    won: list[object] = []
    threads = [threading.Thread(target=lambda: won.append(claim(job_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found is not None for found in won) == [False, False, False, True]


def test_the_tenant_comes_from_the_row(order, claim, tenant: UUID) -> None:
    assert claim(order()).tenant_id == tenant


def test_a_job_that_is_not_due_is_not_claimed(order, claim, queue_engine: Engine) -> None:
    job_id = order()
    with queue_transaction(queue_engine) as session:
        session.execute(text("UPDATE jobs SET run_at = clock_timestamp() + interval '1 minute'"))
    assert claim(job_id) is None


def test_an_expired_lease_is_taken_over_with_a_new_attempt(order, claim, queue_engine: Engine) -> None:
    job_id = order()
    claim(job_id)
    expire(queue_engine)
    assert claim(job_id).attempt == 2


def test_no_more_claims_than_attempts(order, claim, queue_engine: Engine) -> None:
    job_id = order(max_attempts=2)
    for _ in range(2):
        assert claim(job_id) is not None
        expire(queue_engine)
    assert claim(job_id) is None


def zombie_scenario(order, claim, engine: Engine, queue_engine: Engine, tenant: UUID) -> None:
    """A worker falls asleep, another takes over and finishes, the first wakes up and finishes too."""
    job_id = order()
    sleeper = claim(job_id)
    expire(queue_engine)
    successor = claim(job_id)
    with pytest.raises(LeaseLost):
        finish_with_effect(engine, tenant, sleeper)
    finish_with_effect(engine, tenant, successor)
    with pytest.raises(LeaseLost):
        finish_with_effect(engine, tenant, successor)
    assert count_effects(engine, tenant) == 1


def test_a_late_worker_leaves_no_effect(order, claim, engine, queue_engine, tenant, effects_table) -> None:
    zombie_scenario(order, claim, engine, queue_engine, tenant)


def test_without_the_attempt_in_the_fence_a_late_worker_gets_through(
    order, claim, engine, queue_engine, tenant, effects_table, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test above must be able to fail: this is the sabotage that it exists for.
    monkeypatch.setattr(
        leases, "_held", lambda claim, *statuses: and_(JobRow.id == claim.job_id, JobRow.status.in_(statuses))
    )
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        zombie_scenario(order, claim, engine, queue_engine, tenant)


def test_a_heartbeat_extends_the_lease_of_its_own_attempt_only(order, claim, queue_engine: Engine) -> None:
    job_id = order()
    old = claim(job_id)
    expire(queue_engine)
    new = claim(job_id, lease_s=0.0)
    with queue_transaction(queue_engine) as session:
        assert leases.heartbeat(session, old, lease_s=60) is Beat.LOST
        assert leases.heartbeat(session, new, lease_s=60) is Beat.HELD
        left = session.scalar(text("SELECT extract(epoch FROM lease_until - clock_timestamp()) FROM jobs"))
    assert 55 < float(left) <= 60


def test_a_cancelled_job_keeps_no_effect(order, claim, engine, queue_engine, tenant, effects_table) -> None:
    held = claim(order())
    with transaction(engine, tenant) as session:
        assert cancel(session, held.job_id).status == "cancelling"
    with queue_transaction(queue_engine) as session:
        assert leases.heartbeat(session, held, lease_s=60) is Beat.CANCELLING
    with pytest.raises(Cancelled):
        finish_with_effect(engine, tenant, held)
    assert count_effects(engine, tenant) == 0


def test_a_released_job_may_be_tried_once_more_and_never_repeats_an_attempt_number(
    order, claim, queue_engine, job
) -> None:
    job_id = order(max_attempts=1)
    held = claim(job_id)
    with queue_transaction(queue_engine) as session:
        leases.release(session, held, delay_s=0.0, error={"code": "model.unavailable"})
    assert (job(job_id).status, job(job_id).error) == ("queued", {"code": "model.unavailable"})
    assert claim(job_id).attempt == 2
    assert job(job_id).error is None
