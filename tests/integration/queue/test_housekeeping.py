"""Dispatcher and reaper against real Postgres and Redis."""

from collections.abc import Iterator

import pytest
import redis
from sqlalchemy import select, text

from app.catalog.session import queue_transaction, transaction
from app.catalog.tables import JobEventRow, JobItemRow
from app.queue.broker import HintBroker, HintsDown
from app.queue.control import cancel
from app.queue.outbox import enqueue
from tests.integration.queue.test_leases import expire
from workers.dispatcher import Dispatcher
from workers.housekeeping import Housekeeper
from workers.postman import Postman
from workers.reaper import Reaper


@pytest.fixture
def broker(database) -> Iterator[HintBroker]:
    made = HintBroker(database)
    yield made
    made.close()


@pytest.fixture
def dispatcher(queue_engine, broker) -> Dispatcher:
    return Dispatcher(queue_engine, broker, outstanding=3)


@pytest.fixture
def reaper(queue_engine, broker) -> Reaper:
    return Reaper(queue_engine, broker, resend_s=10.0, outstanding=3)


def make_old(queue_engine) -> None:
    with queue_transaction(queue_engine) as session:
        session.execute(
            text("UPDATE jobs SET run_at = run_at - interval '1 hour', hinted_at = hinted_at - interval '1 hour'")
        )


def test_a_due_order_becomes_one_hint(order, dispatcher, broker) -> None:
    order()
    assert dispatcher.dispatch() == 1
    assert [broker.waiting(queue) for queue in ("interactive", "batch", "train")] == [0, 1, 0]
    assert dispatcher.dispatch() == 0


def test_waiting_hints_are_capped_and_the_rest_stays_in_postgres(order, dispatcher, broker) -> None:
    for _ in range(5):
        order()
    dispatcher.dispatch()
    dispatcher.dispatch()
    assert broker.waiting("batch") == 3


def test_tenants_take_turns(order, dispatcher, broker, database, engine, queue_engine, other_tenant) -> None:
    first = [order() for _ in range(5)]
    with transaction(engine, other_tenant) as session:
        late = enqueue(session, kind="test.effect", queue="batch", payload={}).id
    assert dispatcher.dispatch() == 3
    with redis.Redis.from_url(database.redis_url) as client:
        hints = [message.decode() for message in reversed(client.lrange("batch", 0, -1))]
    places = [
        next(index for index, hint in enumerate(hints) if str(job_id) in hint) for job_id in (first[0], late, first[1])
    ]
    assert places == [0, 1, 2]


def test_nothing_is_lost_while_redis_is_away(order, queue_engine, database, dispatcher) -> None:
    order()
    gone = HintBroker(database.model_copy(update={"redis_url": "unix:///nowhere/redis.sock?db=0"}))
    with pytest.raises(HintsDown):
        Dispatcher(queue_engine, gone, outstanding=3).dispatch()
    gone.close()
    assert dispatcher.dispatch() == 1


def test_a_failed_send_keeps_the_row(order, queue_engine, broker, dispatcher, monkeypatch) -> None:
    order()

    def refuse(*_: object) -> None:
        raise HintsDown

    with monkeypatch.context() as patched:
        patched.setattr(broker, "send", refuse)
        with pytest.raises(HintsDown):
            dispatcher.dispatch()
    assert dispatcher.dispatch() == 1


def test_a_full_redis_is_redis_away(order, database, broker, dispatcher) -> None:
    order()
    with redis.Redis.from_url(database.redis_url) as client:
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(HintsDown):
                dispatcher.dispatch()
        finally:
            client.config_set("maxmemory", "256mb")
    assert dispatcher.dispatch() == 1


def test_hints_lost_with_redis_are_sent_again(order, queue_engine, dispatcher, reaper, broker, database) -> None:
    order()
    dispatcher.dispatch()
    with redis.Redis.from_url(database.redis_url) as client:
        client.flushall()
    assert reaper.repeat_hints() == 0, "too early"
    make_old(queue_engine)
    assert reaper.repeat_hints() == 1
    assert reaper.repeat_hints() == 0, "already in the outbox"
    assert dispatcher.dispatch() == 1


def test_hints_that_wait_are_not_repeated(order, queue_engine, dispatcher, reaper) -> None:
    order()
    dispatcher.dispatch()
    make_old(queue_engine)
    assert reaper.repeat_hints() == 0


def test_a_dead_workers_job_goes_back_to_the_queue(order, claim, queue_engine, reaper, dispatcher, job) -> None:
    job_id = order()
    claim(job_id)
    assert reaper.reap() == 0
    expire(queue_engine)
    assert reaper.reap() == 1
    assert (job(job_id).status, job(job_id).lease_until) == ("queued", None)
    assert dispatcher.dispatch() >= 1
    assert claim(job_id).attempt == 2


def test_after_the_last_attempt_a_job_is_parked(order, claim, queue_engine, reaper, job, engine, tenant) -> None:
    job_id = order(max_attempts=1)
    claim(job_id)
    expire(queue_engine)
    reaper.reap()
    assert (job(job_id).status, job(job_id).error["code"]) == ("failed", "job.parked")
    with transaction(engine, tenant) as session:
        events = session.scalars(select(JobEventRow)).all()
    assert [(event.type, event.data["status"]) for event in events] == [("completed", "failed")]


def test_a_dead_worker_does_not_keep_a_job_from_being_cancelled(
    order, claim, queue_engine, reaper, job, engine, tenant
):
    job_id = order(items=[{}, {}])
    claim(job_id)
    with transaction(engine, tenant) as session:
        cancel(session, job_id)
    expire(queue_engine)
    reaper.reap()
    assert job(job_id).status == "cancelled"
    with transaction(engine, tenant) as session:
        assert set(session.scalars(select(JobItemRow.status))) == {"cancelled"}


def test_what_ends_a_thread_beside_ends_the_process(database, monkeypatch) -> None:
    """So that it is started again: webhooks that nobody delivers would be missed by nobody."""

    def die(_self: Postman) -> int:
        raise ArithmeticError

    monkeypatch.setattr(Postman, "round", die)
    with pytest.raises(ArithmeticError):
        Housekeeper(database).run()
