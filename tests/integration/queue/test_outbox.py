"""Ordering work joins the caller's transaction."""

import psycopg
import pytest
from sqlalchemy import func, select

from app.catalog.session import transaction
from app.catalog.tables import JobItemRow, JobRow, OutboxRow
from app.queue.outbox import enqueue
from app.queue.tasks import OUTBOX_CHANNEL


def counts(engine, tenant) -> tuple[int, ...]:
    with transaction(engine, tenant) as session:
        tables = (JobRow, JobItemRow, OutboxRow)
        return tuple(session.scalar(select(func.count()).select_from(table)) for table in tables)


def test_an_order_is_a_job_its_items_and_a_hint(engine, tenant) -> None:
    with transaction(engine, tenant) as session:
        job = enqueue(session, kind="k", queue="batch", payload={"a": 1}, items=[{"i": 0}, {"i": 1}])
    assert counts(engine, tenant) == (1, 2, 1)
    assert (job.status, job.payload, job.progress_total, job.attempt) == ("queued", {"a": 1}, 2, 0)


def order_and_fail(engine, tenant) -> None:
    with transaction(engine, tenant) as session:
        enqueue(session, kind="k", queue="batch", payload={})
        raise ZeroDivisionError


def test_a_rollback_leaves_nothing_and_wakes_nobody(engine, tenant, database) -> None:
    with psycopg.connect(database.queue_url, autocommit=True) as listening:
        listening.execute(f"LISTEN {OUTBOX_CHANNEL}")
        with pytest.raises(ZeroDivisionError):
            order_and_fail(engine, tenant)
        assert counts(engine, tenant) == (0, 0, 0)
        assert list(listening.notifies(timeout=0.1)) == []


def test_a_commit_wakes_the_dispatcher(engine, tenant, database) -> None:
    with psycopg.connect(database.queue_url, autocommit=True) as listening:
        listening.execute(f"LISTEN {OUTBOX_CHANNEL}")
        with transaction(engine, tenant) as session:
            enqueue(session, kind="k", queue="train", payload={})
        assert [notice.payload for notice in listening.notifies(timeout=2, stop_after=1)] == ["train"]


def test_a_key_seen_before_orders_nothing(engine, tenant, other_tenant) -> None:
    def order(owner):
        with transaction(engine, owner) as session:
            return enqueue(session, kind="k", queue="batch", payload={}, idempotency_key="once").id

    assert order(tenant) == order(tenant)
    assert counts(engine, tenant) == (1, 0, 1)
    assert order(other_tenant) != order(tenant)
