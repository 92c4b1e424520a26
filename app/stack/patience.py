"""uvicorn's protocol with an end to its patience: a request's head must come within seconds and fit in 64 KiB.

uvicorn waits for a head for ever and keeps whatever comes of it, so a thousand connections that send a byte a minute would hold a
thousand sockets. Bodies are timed and capped by `app.http.middleware`; what still comes after an answer is not waited for
here. A process that stops takes leave of its connections instead of cutting them. Used by `api_process`. Knows no route.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_S = 20.0
HEAD_BYTES = 65_536
# uvicorn closes what is idle when it stops; a request that is on its way just then would meet a reset.
LAST_WORD_S = 1.0
LOOK_S = 0.02
_REFUSAL = b"HTTP/1.1 %s\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


class PatientState(ServerState):
    """What the connections of a server have in common; `leaving` once it has been told to stop."""

    leaving = False


class PatientProtocol(HttpToolsProtocol):
    """One connection. The head is open from its first byte, or the connection's, until its last."""

    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._open_head()

    def on_message_begin(self) -> None:
        """Begin again, on a connection that is kept."""
        super().on_message_begin()
        if self._head_timer is None:
            self._open_head()

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._close_head()
        super().on_headers_complete()
        if isinstance(self.server_state, PatientState) and self.server_state.leaving:
            self.take_leave()

    def data_received(self, data: bytes) -> None:
        """Count what has come of a head that is still open."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, "Request Header Fields Too Large")

    def on_response_complete(self) -> None:
        """Let go of a connection whose body goes on after its answer: it would be read for nothing, without an end."""
        unread = self.cycle is not None and self.cycle.more_body
        super().on_response_complete()
        if unread:
            self.transport.close()

    def take_leave(self) -> None:
        """Say that the answer under way is the last."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._close_head()
        super().connection_lost(exc)

    def _open_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_S, self._refuse, 408, "Request Timeout")

    def _close_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int, title: str) -> None:
        self._close_head()
        if not self.transport.is_closing():
            body = b'{"title":"%s","status":%d}' % (title.encode(), status)
            self.transport.write(_REFUSAL % (f"{status} {title}".encode(), len(body), body))
            self.transport.close()


class PatientServer(uvicorn.Server):
    """uvicorn's, which told to stop lets its callers go before it closes the door.

    `let_go` is called first; from then on /readyz says 503. For `leave_s` whoever comes is still answered, with `Connection: close`: a
    load balancer that has not asked /readyz yet goes on sending. Then nobody is let in, and who is inside gets to say what he came for.
    """

    def __init__(self, config: uvicorn.Config, let_go: Callable[[], None], *, leave_s: float) -> None:
        super().__init__(config)
        self.server_state = self._state = PatientState()
        self._let_go, self._leave_s = let_go, leave_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; what is under way at the end gets the grace of the configuration."""
        self._state.leaving = True
        for connection in self._state.connections:
            if isinstance(connection, PatientProtocol):
                connection.take_leave()
        self._let_go()
        await self._wait(self._leave_s, lambda: False)
        for server in self.servers:
            server.close()
        await self._wait(LAST_WORD_S if self._leave_s else 0.0, lambda: not self._state.connections)
        await super().shutdown(sockets)

    async def _wait(self, seconds: float, over: Callable[[], bool]) -> None:
        """Wait so long, unless it is over, or somebody has said a second time to stop."""
        for _ in range(round(seconds / LOOK_S)):
            if over() or self.force_exit:
                return
            await asyncio.sleep(LOOK_S)
