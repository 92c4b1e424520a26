"""A proxy that can turn bad: in front of Postgres, Redis, the object store or the model server.

`Toxic.mode` may change at any time and holds for connections that are open as well. Listens on loopback and passes bytes on; knows no
protocol.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

_T = TypeVar("_T")
Mode = Literal["well", "down", "slow", "trickle", "reset", "silent"]
TOXICS: tuple[Mode, ...] = ("down", "slow", "trickle", "reset", "silent")
SLOW_S = 1.0
TRICKLE_BYTES_PER_S = 1_000
_CHUNK = 65_536


class Toxic:
    """Passes connections to `upstream`, a port of this machine or the path of a socket."""

    def __init__(self, upstream: int | str) -> None:
        self._upstream = upstream
        self._mode: Mode = "well"
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._in_loop(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.cut = 0
        """Connections that were reset."""

    @property
    def mode(self) -> Mode:
        """How it behaves."""
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        # What was swallowed meanwhile is missing: such a connection is of no use any more.
        broken = {"down", "reset"} if self._mode != "silent" else {"down", "reset", "well", "slow", "trickle"}
        self._mode = mode
        if mode in broken:
            self.reset()

    def reset(self) -> None:
        """Cut every connection that is open."""
        self._in_loop(self._reset())

    async def _reset(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()
            self.cut += 1

    def close(self) -> None:
        """Stop listening, and cut what is open."""
        self._in_loop(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        await self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)  # each closes its ends

    def _in_loop(self, wanted: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(wanted, self._loop).result(10)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if self._mode == "down":
                return
            there = await self._there()
            self._open.add(there[1])
            try:
                await asyncio.wait(
                    [
                        asyncio.create_task(self._pass_on(reader, there[1])),
                        asyncio.create_task(self._pass_on(there[0], writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            finally:
                self._open.discard(there[1])
                there[1].transport.abort()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _there(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, str):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection("127.0.0.1", self._upstream)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while data := await reader.read(_CHUNK):
                match self._mode:
                    case "down" | "reset":
                        return
                    case "silent":
                        continue
                    case "slow":
                        await asyncio.sleep(SLOW_S)
                        writer.write(data)
                    case "trickle":
                        await self._trickle(data, writer)
                    case _:
                        writer.write(data)
                await writer.drain()

    async def _trickle(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        part = TRICKLE_BYTES_PER_S // 10
        for first in range(0, len(data), part):
            writer.write(data[first : first + part] if self._mode == "trickle" else data[first:])
            if self._mode != "trickle":
                return
            await asyncio.sleep(0.1)


@contextmanager
def toxic(upstream: int | str) -> Iterator[Toxic]:
    """A proxy for the block."""
    made = Toxic(upstream)
    try:
        yield made
    finally:
        made.close()
