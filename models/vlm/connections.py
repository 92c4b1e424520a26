"""A pool of kept-alive HTTP connections to one server, on the standard library: a request costs a fifth of httpx's CPU time.

Called by `transport`, which knows what a status means. It follows no redirect, reads no proxy from the environment and keeps no cookie.
"""

import http.client
import select
import ssl
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import httpx

# uvicorn, and vLLM with it, closes a silent connection after 5 s; one taken from the pool at that moment is dead.
_KEEP_S = 4.0
_CHUNK_BYTES = 65_536
Waiting = Callable[[], AbstractContextManager[None]]
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Unreachable(Exception):
    """No connection could be made; nothing was sent."""


class AllInUse(Exception):
    """As many requests are under way as are allowed."""


class BrokenOff(Exception):
    """The connection ended, or what came is no HTTP."""


class Answer:
    """The answer to one request as it comes in; whoever gets it closes it."""

    def __init__(self, pool: "Connections", connection: http.client.HTTPConnection) -> None:
        """The request was sent; waits for the head of its answer."""
        self._pool, self._connection = pool, connection
        with pool.waiting():
            self._response = connection.getresponse()
        self.status = self._response.status

    def header(self, name: str) -> str | None:
        """Return one header."""
        return self._response.getheader(name)

    def chunk(self, timeout_s: float, most_bytes: int = _CHUNK_BYTES) -> bytes:
        """Return what has come of the body, waiting for the first byte; b"" at its end. Raises BrokenOff, TimeoutError."""
        response = self._response
        if response.length == 0 or response.isclosed():
            return b""
        if self._connection.sock is not None:  # None where the server closes at the end
            self._connection.sock.settimeout(timeout_s)
        try:
            with self._pool.waiting():
                data = response.read1(most_bytes)
        except TimeoutError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise BrokenOff(str(error)) from error
        if not data and response.length:
            raise BrokenOff(f"{response.length} bytes of the answer are missing")
        return data

    def close(self) -> None:
        """End the request; the connection is kept if all of the answer was read."""
        response = self._response
        whole = response.length == 0 or response.isclosed()
        response.close()
        self._pool.give_back(self._connection, reusable=whole and self._connection.sock is not None)


class Connections:
    """The way to one server; safe to share between threads."""

    def __init__(self, base_url: str, *, headers: Mapping[str, str], most: int, waiting: Waiting = nullcontext) -> None:
        """`base_url` is http or https, with the path that all paths begin with; at most `most` requests are under way at once.

        `waiting` is entered where a thread waits for the server.
        """
        self.waiting = waiting
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url} is no http or https address")
        self._host, self._port = parts.hostname, parts.port
        self._context = _trust() if parts.scheme == "https" else None
        self._root = parts.path.rstrip("/") + "/"
        self._headers = dict(headers)
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers.setdefault("Authorization", f"Basic {b64encode(login.encode()).decode()}")
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, http.client.HTTPConnection]] = deque()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        timeout_s: float,
        connect_s: float,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Send a request, with `headers` besides those of every request, and return the answer once its head has come.

        Raises Unreachable, AllInUse (after `connect_s`), BrokenOff, and TimeoutError when one wait was longer than `timeout_s`.
        """
        if not self._free.acquire(timeout=connect_s):
            raise AllInUse
        connection: http.client.HTTPConnection | None = None
        try:
            connection = self._kept() or self._connected(connect_s)
            connection.sock.settimeout(timeout_s)
            typed = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, self._root + path, body, {**self._headers, **headers, **typed})
            return Answer(self, connection)
        except BaseException as error:
            self.give_back(connection, reusable=False)
            if isinstance(error, OSError | http.client.HTTPException) and not isinstance(error, TimeoutError):
                raise BrokenOff(str(error)) from error
            raise

    def give_back(self, connection: http.client.HTTPConnection | None, *, reusable: bool) -> None:
        """End a request; called once for each."""
        now = time.monotonic()
        gone = [] if connection is None or reusable else [connection]
        with self._lock:
            if connection is not None and reusable:
                self._idle.append((now, connection))
            while self._idle and now - self._idle[0][0] > _KEEP_S:
                gone.append(self._idle.popleft()[1])
        self._free.release()
        for old in gone:
            old.close()

    def close(self) -> None:
        """Close what is not in use."""
        with self._lock:
            idle = [connection for _, connection in self._idle]
            self._idle.clear()
        for connection in idle:
            connection.close()

    def _kept(self) -> http.client.HTTPConnection | None:
        """Return the connection that was used last, unless the server has closed it; older ones die out."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since <= _KEEP_S and _is_quiet(connection):
                return connection
            connection.close()

    def _connected(self, connect_s: float) -> http.client.HTTPConnection:
        if self._context is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=connect_s)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, timeout=connect_s, context=self._context)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise Unreachable(str(error)) from error
        return connection


def _is_quiet(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing came that nobody asked for: that is how a close shows."""
    asked = select.poll()
    asked.register(connection.sock, select.POLLIN)
    return not asked.poll(0)


def _trust() -> ssl.SSLContext:
    """Trust the public authorities that httpx ships, and those that this machine was told of."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
