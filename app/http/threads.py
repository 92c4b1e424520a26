"""Blocking work whose caller may leave: run in a thread, followed from the event loop, told when nobody wants it any more.

A thread cannot be stopped from outside. Work that is not waited for gets its `unwanted` flag set, ends at its next look at it and
keeps its slot until then, so that the slots always count what really runs.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Event as Flag
from typing import Any, TypeVar

from app.errors import DeadlineExceeded, Unavailable
from app.turns import Turns

_T = TypeVar("_T")
_FULL_RETRY_S = 2


class Slots:
    """At most `count` pieces of work at once, the next ones in the order they came. For one event loop.

    Threads of its own on the C queue: anyio's threads wait on a lock in Python, which cost a tenth of an answer's CPU time. They are
    daemons, so that a process that is told to stop does not wait for a hanging server.
    """

    def __init__(self, count: int) -> None:
        """No thread is started yet."""
        self.count = count
        self.taken = 0
        """Pieces of work that run or wait for a slot."""
        self._threads, self._turns = 0, Turns()
        self._orders: SimpleQueue[tuple[asyncio.Future[Any], Context, Callable[[], Any]] | None] = SimpleQueue()

    def check(self) -> None:
        """Raise Unavailable when every slot is taken and as many pieces of work wait."""
        if self.taken >= 2 * self.count:
            raise Unavailable(
                "Every slot of the model is taken and as many requests wait.", retry_after_s=_FULL_RETRY_S
            )

    def start(self, work: Callable[[], _T]) -> "asyncio.Future[_T]":
        """Have `work` done; its result may be ignored."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        self.taken += 1
        if self._threads < min(self.taken, self.count):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"slot-{self._threads}", daemon=True).start()
        self._orders.put((future, copy_context(), work))
        return future

    def close(self) -> None:
        """Let the threads end when what was ordered is done."""
        for _ in range(self._threads):
            self._orders.put(None)

    def _serve(self) -> None:
        while (order := self._orders.get()) is not None:
            future, context, work = order
            result, error = None, None
            self._turns.begin()
            try:
                result = context.run(work)
            except BaseException as exc:  # told to whoever waits; a thread must not die of it
                error = exc
            self._turns.end()
            try:
                future.get_loop().call_soon_threadsafe(self._ended, future, result, error)
            except RuntimeError:  # the loop was closed: the process stops
                return
            del order, future, context, work, result, error  # an idle thread holds no picture and no answer

    def _ended(self, future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        self.taken -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
            future.exception()  # nobody may be there to look at it


async def in_time(work: Callable[[], _T], *, unwanted: Flag, slots: Slots, deadline_s: float | None) -> _T:
    """Return what `work` returns; raises DeadlineExceeded when it takes longer, and flags it `unwanted` then."""
    future = slots.start(work)
    try:
        return await asyncio.wait_for(future, deadline_s)
    except asyncio.CancelledError:
        unwanted.set()
        raise
    except TimeoutError:
        if not future.cancelled():  # it is the work's own
            raise
        unwanted.set()
        raise DeadlineExceeded from None


async def pumped(
    make: Callable[[], Iterator[_T]], *, unwanted: Flag, slots: Slots, tick_s: float
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

    future = slots.start(work)
    future.add_done_callback(lambda _: arrived.put_nowait(None))
    try:
        while True:
            try:
                item = await asyncio.wait_for(arrived.get(), tick_s)
            except TimeoutError:
                yield None
                continue
            if item is None:
                future.result()
                return
            yield item[0]
    finally:
        unwanted.set()
