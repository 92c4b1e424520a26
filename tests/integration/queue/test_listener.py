"""Waiting for a job without polling."""

import asyncio
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from app.catalog.session import transaction
from app.queue import asides, events
from app.queue.listener import JobListener
from tests.conftest import execute


@pytest.fixture
def listener(database) -> Iterator[JobListener]:
    made = JobListener(database.queue_url)
    made.start()
    while not made.listening:
        time.sleep(0.01)
    yield made
    made.stop()


def test_a_change_wakes_its_watchers_only(listener, engine, tenant) -> None:
    mine, other = uuid4(), uuid4()

    async def scenario() -> tuple[bool, bool, float]:
        async with listener.watch(mine) as change, listener.watch(other) as quiet:
            started_at = time.monotonic()
            await asyncio.to_thread(notify, mine)
            changed = await change.wait(5)
            took_s = time.monotonic() - started_at
            return changed, await quiet.wait(0.1), took_s

    def notify(job_id) -> None:
        with transaction(engine, tenant) as session:
            events.notify(session, job_id)

    changed, other_changed, took_s = asyncio.run(scenario())
    assert (changed, other_changed) == (True, False)
    assert took_s < 1


def test_a_change_between_entering_and_waiting_is_not_missed(listener, engine, tenant) -> None:
    job_id = uuid4()

    async def scenario() -> bool:
        async with listener.watch(job_id) as change:
            with transaction(engine, tenant) as session:
                events.notify(session, job_id)
            await asyncio.sleep(0.2)
            return await change.wait(5)

    assert asyncio.run(scenario())


def test_a_broken_connection_wakes_everybody_and_is_made_again(listener, stack) -> None:
    async def scenario() -> bool:
        async with listener.watch(uuid4()) as change:
            execute(
                stack,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'markwise-listener'",
            )
            return await change.wait(5)

    assert asyncio.run(scenario())
    deadline = time.monotonic() + 5
    while not listener.listening:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_asides_reach_who_asked_for_them_in_order_and_are_kept_nowhere(listener, engine, tenant) -> None:
    job_id = uuid4()

    async def scenario() -> tuple[list[dict], list[dict]]:
        async with listener.watch(job_id, asides=True) as curious, listener.watch(job_id) as other:
            await asyncio.to_thread(tell, job_id)
            while len(curious.heard) < 3:
                assert await curious.wait(5)
            return list(curious.heard), list(other.heard)

    def tell(job_id) -> None:
        with transaction(engine, tenant) as session:
            told = [{"text": "a"}, {"text": "é" * 5_000}, {"text": "b\n\u2028"}]
            asides.send(session, job_id, told)
            asides.send(session, job_id, [{"text": "c"}])

    heard, unheard = asyncio.run(scenario())
    # One that is too long for a notice is left out: the answer will have it.
    assert heard == [{"text": "a"}, {"text": "b\n\u2028"}, {"text": "c"}]
    assert unheard == []
