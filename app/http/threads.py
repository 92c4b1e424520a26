"""Blocking work whose caller may leave: run in a thread, followed from the event loop, told when nobody wants it any more.

A thread cannot be stopped from outside. Work that is not waited for gets its `unwanted` flag set, ends at its next look at it and
keeps its slot until then, so that the slots always count what really runs.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event as Flag
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from app.errors import DeadlineExceeded

_T = TypeVar("_T")
_running: set["asyncio.Task[Any]"] = set()


async def in_time(work: Callable[[], _T], *, unwanted: Flag, slots: CapacityLimiter, deadline_s: float | None) -> _T:
    """Return what `work` returns; raises DeadlineExceeded when it takes longer, and flags it `unwanted` then."""
    task = _started(work, slots)
    try:
        done, _ = await asyncio.wait({task}, timeout=deadline_s)
    except asyncio.CancelledError:
        unwanted.set()
        raise
    if not done:
        unwanted.set()
        raise DeadlineExceeded
    return task.result()


async def pumped(
    make: Callable[[], Iterator[_T]], *, unwanted: Flag, slots: CapacityLimiter, tick_s: float
) -> AsyncIterator[_T | None]:
    """Yield what the blocking iterator of `make` gives as it comes, and None whenever nothing came for `tick_s`.

    When the reader leaves, the iterator is closed after the item it is working on. Raises what it raises.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[tuple[_T] | None] = asyncio.Queue()

    def work() -> None:
        items = iter(()) if unwanted.is_set() else make()
        try:
            for item in items:
                if unwanted.is_set():
                    return
                loop.call_soon_threadsafe(arrived.put_nowait, (item,))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()

    task = _started(work, slots)
    task.add_done_callback(lambda _: arrived.put_nowait(None))
    try:
        while True:
            try:
                item = await asyncio.wait_for(arrived.get(), tick_s)
            except TimeoutError:
                yield None
                continue
            if item is None:
                task.result()
                return
            yield item[0]
    finally:
        unwanted.set()


def _started(work: Callable[[], _T], slots: CapacityLimiter) -> "asyncio.Task[_T]":
    """Run `work` in a thread as soon as there is a slot; what it raises after everybody left is not reported."""

    async def run() -> _T:
        return await to_thread.run_sync(work, limiter=slots)

    task = asyncio.ensure_future(run())
    _running.add(task)
    task.add_done_callback(_running.discard)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return task
