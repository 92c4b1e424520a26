"""Blocking work followed from the event loop: its pieces arrive as they come, and it ends when nobody wants it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.errors import DeadlineExceeded, Unavailable
from app.http.threads import Slots, in_time, pumped


def test_pieces_arrive_as_they_come_with_a_sign_of_life_between_them() -> None:
    def slow() -> Iterator[int]:
        yield 1
        time.sleep(0.25)
        yield 2

    async def scenario() -> list[int | None]:
        pump = pumped(slow, unwanted=threading.Event(), slots=Slots(1), tick_s=0.1)
        return [piece async for piece in pump]

    pieces = asyncio.run(scenario())
    assert [piece for piece in pieces if piece is not None] == [1, 2]
    assert pieces[0] == 1
    assert None in pieces[1:-1]


def test_an_error_comes_after_the_pieces_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("ours")

    async def scenario() -> int | None:
        pump = pumped(failing, unwanted=threading.Event(), slots=Slots(1), tick_s=5)
        first = await anext(pump)
        with pytest.raises(ValueError, match="ours"):
            await anext(pump)
        return first

    assert asyncio.run(scenario()) == 1


def test_a_reader_that_leaves_closes_the_iterator() -> None:
    closed, unwanted = threading.Event(), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                time.sleep(0.01)
                yield 1
        finally:
            closed.set()

    async def scenario() -> None:
        pump = pumped(endless, unwanted=unwanted, slots=Slots(1), tick_s=5)
        assert await anext(pump) == 1
        await pump.aclose()
        assert await asyncio.to_thread(closed.wait, 3)

    asyncio.run(scenario())
    assert unwanted.is_set()


def test_work_that_is_late_is_left_but_keeps_its_slot_until_it_ends() -> None:
    slots, go_on, unwanted = Slots(1), threading.Event(), threading.Event()

    async def scenario() -> tuple[int, int]:
        with pytest.raises(DeadlineExceeded):
            await in_time(lambda: go_on.wait(5), unwanted=unwanted, slots=slots, deadline_s=0.05)
        held = slots.taken
        go_on.set()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if not slots.taken:
                break
        return held, slots.taken

    assert asyncio.run(scenario()) == (1, 0)
    assert unwanted.is_set()


@pytest.mark.parametrize("deadline_s", [None, 5.0])
def test_work_in_time_returns_and_raises_as_it_is(deadline_s: float | None) -> None:
    def run(work: Callable[[], int]) -> int:
        async def scenario() -> int:
            return await in_time(work, unwanted=threading.Event(), slots=Slots(1), deadline_s=deadline_s)

        return asyncio.run(scenario())

    assert run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)


def test_work_waits_for_a_slot_and_no_more_than_as_many_again_may_wait() -> None:
    slots, go_on, running = Slots(2), threading.Event(), []

    def work() -> None:
        running.append(threading.current_thread().name)
        go_on.wait(5)

    async def scenario() -> None:
        pieces = []
        for _ in range(4):
            slots.check()
            pieces.append(slots.start(work))
        with pytest.raises(Unavailable) as refused:
            slots.check()
        assert refused.value.retry_after_s == 2
        await asyncio.sleep(0.1)
        assert len(running) == 2
        go_on.set()
        await asyncio.gather(*pieces)
        slots.check()

    asyncio.run(scenario())
    assert len(running) == 4
    assert len(set(running)) == 2
    assert slots.taken == 0


def test_work_that_nobody_waits_for_frees_its_slot() -> None:
    slots, go_on, unwanted = Slots(1), threading.Event(), threading.Event()

    async def scenario() -> None:
        waiting = asyncio.ensure_future(in_time(lambda: go_on.wait(5), unwanted=unwanted, slots=slots, deadline_s=None))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert slots.taken == 1
        go_on.set()
        assert await in_time(lambda: 3, unwanted=threading.Event(), slots=slots, deadline_s=1.0) == 3

    asyncio.run(scenario())
    assert unwanted.is_set()


def test_a_timeout_of_the_work_itself_stays_what_it_is() -> None:
    def work() -> None:
        raise TimeoutError("the work's own")

    async def scenario() -> None:
        with pytest.raises(TimeoutError, match="the work's own"):
            await in_time(work, unwanted=threading.Event(), slots=Slots(1), deadline_s=5.0)

    asyncio.run(scenario())
