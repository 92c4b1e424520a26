"""Blocking work followed from the event loop: its pieces arrive as they come, and it ends when nobody wants it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from anyio import CapacityLimiter

from app.errors import DeadlineExceeded
from app.http.threads import in_time, pumped


def test_pieces_arrive_as_they_come_with_a_sign_of_life_between_them() -> None:
    def slow() -> Iterator[int]:
        yield 1
        time.sleep(0.25)
        yield 2

    async def scenario() -> list[int | None]:
        pump = pumped(slow, unwanted=threading.Event(), slots=CapacityLimiter(1), tick_s=0.1)
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
        pump = pumped(failing, unwanted=threading.Event(), slots=CapacityLimiter(1), tick_s=5)
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
        pump = pumped(endless, unwanted=unwanted, slots=CapacityLimiter(1), tick_s=5)
        assert await anext(pump) == 1
        await pump.aclose()
        assert await asyncio.to_thread(closed.wait, 3)

    asyncio.run(scenario())
    assert unwanted.is_set()


def test_work_that_is_late_is_left_but_keeps_its_slot_until_it_ends() -> None:
    slots, go_on, unwanted = CapacityLimiter(1), threading.Event(), threading.Event()

    async def scenario() -> tuple[int, int]:
        with pytest.raises(DeadlineExceeded):
            await in_time(lambda: go_on.wait(5), unwanted=unwanted, slots=slots, deadline_s=0.05)
        held = slots.borrowed_tokens
        go_on.set()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if not slots.borrowed_tokens:
                break
        return held, slots.borrowed_tokens

    assert asyncio.run(scenario()) == (1, 0)
    assert unwanted.is_set()


@pytest.mark.parametrize("deadline_s", [None, 5.0])
def test_work_in_time_returns_and_raises_as_it_is(deadline_s: float | None) -> None:
    def run(work: Callable[[], int]) -> int:
        async def scenario() -> int:
            return await in_time(work, unwanted=threading.Event(), slots=CapacityLimiter(1), deadline_s=deadline_s)

        return asyncio.run(scenario())

    assert run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 // 0)
