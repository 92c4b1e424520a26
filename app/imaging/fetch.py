"""The only way out to a URL that a caller gave: resolve once, check every address, dial what was checked.

Called by the service that accepts images and by the postman of webhooks. Each redirect passes the same checks; no proxy, cookie
or credential of this process is ever used; the whole errand ends within one deadline. Knows nothing of images beyond their size.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urljoin

import httpcore

from app.imaging.addresses import EVERYWHERE, Address, Network, Target, may_call, parse_address, parse_url
from app.imaging.errors import FetchFailed, FetchNotFound, FetchRefused, FetchTimedOut, TooLarge
from app.imaging.limits import MEBIBYTE

Resolver = Callable[[str, int], Sequence[str]]
Header = tuple[bytes, bytes]

REDIRECTS = {301, 302, 303, 307, 308}
MAX_ADDRESSES_TRIED = 4
HEADERS = (
    (b"User-Agent", b"Markwise image fetcher"),
    (b"Accept", b"image/*"),
    # A compressed body could unpack to more than the cap.
    (b"Accept-Encoding", b"identity"),
    (b"Connection", b"close"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPolicy:
    """What may be called and what it may cost. The defaults are those for URLs of strangers."""

    ports: frozenset[int] = frozenset({80, 443})
    allow_http: bool = True
    # Names and networks of the operator that may be called although their addresses are not public; even these
    # never reach link-local or metadata addresses.
    allow_hosts: frozenset[str] = frozenset()
    allow_networks: tuple[Network, ...] = ()
    ca_file: str | None = None
    max_bytes: int = 20 * MEBIBYTE
    max_redirects: int = 3
    connect_s: float = 3.0
    total_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a URL answered. `media_type` is the server's claim; only the bytes decide what they are."""

    data: bytes
    media_type: str | None
    final_url: str


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine resolves it; OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def fetch(url: str, policy: FetchPolicy, *, resolver: Resolver = system_resolver) -> Fetched:
    """GET an image.

    FetchRefused (one message for every reason, so that it tells nothing of the inner network), FetchNotFound for an
    error status, FetchTimedOut, TooLarge, FetchFailed for the rest.
    """
    deadline = Deadline(policy.total_s)
    target = parse_url(url, policy.ports)
    for _hop in range(policy.max_redirects + 1):
        if not (target.secure or policy.allow_http):
            raise FetchRefused
        addresses = _checked_addresses(target, policy, resolver, deadline)
        answer = _get(target, _PinnedBackend(addresses, policy.connect_s, deadline), policy, deadline)
        if isinstance(answer, Fetched):
            return answer
        following = parse_url(answer, policy.ports)
        if target.secure and not following.secure:
            raise FetchRefused
        target = following
    raise FetchFailed("The URL redirects too often.")


def post(
    url: str, body: bytes, headers: Iterable[Header], policy: FetchPolicy, *, resolver: Resolver = system_resolver
) -> int:
    """POST to a URL that a caller gave, under the same checks, and return the status; no redirect is followed, no answer read.

    FetchRefused, FetchTimedOut, or FetchFailed where nobody answers.
    """
    deadline = Deadline(policy.total_s)
    target = parse_url(url, policy.ports)
    if not (target.secure or policy.allow_http):
        raise FetchRefused
    addresses = _checked_addresses(target, policy, resolver, deadline)
    backend = _PinnedBackend(addresses, policy.connect_s, deadline)
    length = (b"Content-Length", str(len(body)).encode())
    with _asked("POST", target, backend, policy, [length, *headers], body) as response:
        return response.status


class Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def left_s(self, at_most_s: float | None = None) -> float:
        """Seconds left, at most `at_most_s`; FetchTimedOut when there are none."""
        left = self._end_s - time.monotonic()
        if left <= 0:
            raise FetchTimedOut
        return left if at_most_s is None else min(left, at_most_s)


def _checked_addresses(target: Target, policy: FetchPolicy, resolver: Resolver, deadline: Deadline) -> list[Address]:
    """Every address of the host, all of them allowed; one that is not condemns the name."""
    try:
        # A literal address does not pass a resolver, whose idea of it may differ.
        addresses = [parse_address(target.host)]
    except ValueError:
        addresses = _resolve(target, resolver, deadline)
    networks = EVERYWHERE if target.host in policy.allow_hosts else policy.allow_networks
    if not addresses or not all(may_call(address, networks) for address in addresses):
        raise FetchRefused
    # IPv4 first: a machine without an IPv6 route would spend the connect timeout on it.
    return sorted(dict.fromkeys(addresses), key=lambda address: address.version)[:MAX_ADDRESSES_TRIED]


def _resolve(target: Target, resolver: Resolver, deadline: Deadline) -> list[Address]:
    found: list[Address] = []

    def look_up() -> None:
        try:
            found.extend([parse_address(text) for text in resolver(target.host, target.port)])
        except (OSError, ValueError):
            found.clear()

    # getaddrinfo cannot be given a timeout; a thread that is still in it when we leave ends with it.
    thread = threading.Thread(target=look_up, daemon=True, name="markwise-resolve")
    thread.start()
    thread.join(deadline.left_s())
    if thread.is_alive():
        raise FetchTimedOut
    return found


def _get(target: Target, backend: httpcore.NetworkBackend, policy: FetchPolicy, deadline: Deadline) -> Fetched | str:
    """One request: the body, or the URL that it redirects to."""
    with _asked("GET", target, backend, policy, HEADERS) as response:
        if response.status in REDIRECTS:
            return urljoin(target.url, _header(response, b"location").decode())
        if response.status != 200:
            raise FetchNotFound
        return Fetched(
            data=_read(response, policy.max_bytes, deadline),
            media_type=_header(response, b"content-type").decode("latin-1").partition(";")[0].strip().lower() or None,
            final_url=target.url,
        )


@contextmanager
def _asked(
    method: str,
    target: Target,
    backend: httpcore.NetworkBackend,
    policy: FetchPolicy,
    headers: Iterable[Header],
    body: bytes | None = None,
) -> Iterator[httpcore.Response]:
    """One request to an address that was checked; the connection ends with the block."""
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    sent = [(b"Host", target.host_header.encode()), *headers]
    try:
        with (
            httpcore.HTTPConnection(
                origin=url.origin, ssl_context=_tls(policy.ca_file), network_backend=backend, retries=0
            ) as connection,
            connection.stream(method, url, headers=sent, content=body) as response,
        ):
            yield response
    except httpcore.TimeoutException:
        raise FetchTimedOut from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError):
        raise FetchFailed from None


def _read(response: httpcore.Response, max_bytes: int, deadline: Deadline) -> bytes:
    if _header(response, b"content-encoding").lower() not in {b"", b"identity"}:
        raise FetchFailed
    declared = _header(response, b"content-length")
    too_large = TooLarge(f"The URL answers with more than {max_bytes} bytes.")
    if declared.isdigit() and int(declared[:20]) > max_bytes:
        raise too_large
    body = bytearray()
    for chunk in response.iter_stream():
        deadline.left_s()
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return bytes(body)


def _header(response: httpcore.Response, name: bytes) -> bytes:
    return next((value for key, value in response.headers if key.lower() == name), b"")


@cache
def _tls(ca_file: str | None) -> ssl.SSLContext:
    """Certificates are always verified. Cached: loading the bundle takes 20 ms."""
    return httpcore.default_ssl_context() if ca_file is None else ssl.create_default_context(cafile=ca_file)


class _PinnedBackend(httpcore.NetworkBackend):
    """Dials the addresses that were checked, whatever host it is asked for; TLS still verifies the name."""

    def __init__(self, addresses: Sequence[Address], connect_s: float, deadline: Deadline) -> None:
        self._addresses = addresses
        self._connect_s = connect_s
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        budget = Deadline(self._deadline.left_s(self._connect_s))
        for tried, address in enumerate(self._addresses):
            share_s = budget.left_s() / (len(self._addresses) - tried)
            try:
                stream = httpcore.SyncBackend().connect_tcp(str(address), port, share_s)
            except (httpcore.ConnectTimeout, httpcore.ConnectError):
                if tried == len(self._addresses) - 1:
                    raise
            else:
                return _TimedStream(stream, self._deadline)
        raise FetchFailed


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait is cut at the deadline of the whole fetch: 1 byte per second ends too."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
