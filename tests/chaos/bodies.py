"""F6: bodies and heads that are meant to hurt. Run: python -m tests.chaos.bodies.

Ten declared gigabytes, chunks without an end, lengths that lie, bodies and heads of a byte a second on many connections, a hundred
thousand parts, a megabyte of header, a body that says it is packed, thousands of ranges, strange hosts. Each is refused or dropped
in bounded time and memory, and healthy callers do not notice.
"""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx

from tests.acceptance.service import serving
from tests.chaos import processes
from tests.chaos.bombs import watched
from tests.chaos.table import Row, run

GROWTH_MB = 50.0
HEALTHY_S = 0.3
CAP_BYTES = 30_000_000
_SLACK_BYTES = 8 << 20  # socket buffers at both ends

Attack = Callable[[str, int], str]
"""(host, port) -> what was wrong, or "" where the service held."""


@contextmanager
def connected(host: str, port: int, timeout_s: float = 20.0) -> Iterator[socket.socket]:
    """A plain connection."""
    with socket.create_connection((host, port), timeout=timeout_s) as made:
        yield made


def status_of(connection: socket.socket) -> int:
    """Return the status that comes, 0 where the connection was closed without one."""
    with suppress(OSError):
        head = connection.recv(4096)
        if head.startswith(b"HTTP/1."):
            return int(head.split(b" ", 2)[1])
    return 0


def declared(host: str, port: int) -> str:
    """Ten gigabytes, by their own account."""
    with connected(host, port) as one:
        one.sendall(_head("POST", "/v1/images", "Content-Length: 10000000000", "Content-Type: application/json"))
        status = status_of(one)
    return "" if status == 413 else f"10 GB declared: {status}"


def endless(host: str, port: int) -> str:
    """Chunks without an end: cut off soon after the cap."""
    chunk = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
    sent, status = 0, 0
    with connected(host, port) as one:
        one.sendall(_head("POST", "/v1/images", "Transfer-Encoding: chunked", "Content-Type: application/json"))
        try:
            while sent < 4 * CAP_BYTES:
                one.sendall(chunk)
                sent += 65_536
        except OSError:
            pass
        status = status_of(one)
    if sent > CAP_BYTES + _SLACK_BYTES:
        return f"chunks without an end: {sent} bytes were taken"
    return "" if status in {0, 413} else f"chunks without an end: {status}"


def lying(host: str, port: int) -> str:
    """Less than declared, then silence from our side and an end: nothing is stored."""
    with connected(host, port) as one:
        one.sendall(_head("POST", "/v1/images", "Content-Length: 500", "Content-Type: application/json") + b'{"image":')
        one.shutdown(socket.SHUT_WR)
        status = status_of(one)
    return "" if status in {0, 400, 408} else f"half a body: {status}"


def many_parts(host: str, port: int) -> str:
    """A hundred thousand parts."""
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    body = part * 100_000 + b"--x--\r\n"
    with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as client:
        started = time.monotonic()
        status = client.post(
            "/v1/images", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        ).status_code
    if time.monotonic() - started > 5:
        return "a hundred thousand parts took over 5 s"
    return "" if status in {400, 413, 422} else f"a hundred thousand parts: {status}"


def large_head(host: str, port: int) -> str:
    """A megabyte of header, and as much in many small ones."""
    for head in (b"X-A: " + b"a" * (1 << 20), b"".join(b"X-%d: a\r\n" % i for i in range(100_000))):
        with connected(host, port) as one:
            with suppress(OSError):
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head)
            status = status_of(one)
        if status not in {0, 400, 431}:
            return f"a megabyte of header: {status}"
    return ""


def packed(host: str, port: int) -> str:
    """A gzip bomb for a body: nothing unpacks it."""
    body = gzip.compress(bytes(100 << 20))
    with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as client:
        head = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        status = client.post("/v1/images", content=body, headers=head).status_code
    return "" if status in {400, 415} else f"a packed body: {status}"


def ranges(host: str, port: int) -> str:
    """Ten thousand ranges of a static file."""
    asked = "bytes=" + ",".join(f"{i}-{i + 1}" for i in range(0, 12_000, 3))
    with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as client:
        started = time.monotonic()
        response = client.get("/static/docs/swagger-ui-bundle.js", headers={"Range": asked})
    if len(response.content) > 2_000_000 or time.monotonic() - started > 5:
        return f"thousands of ranges: {len(response.content)} bytes in {time.monotonic() - started:.1f} s"
    return "" if response.status_code < 500 else f"thousands of ranges: {response.status_code}"


def hosts(host: str, port: int) -> str:
    """Hosts that are none; no answer may carry them."""
    for poison in ("evil.example", "a" * 5_000, "x:99999", "[::1", "evil.example\tb", "é"):
        with connected(host, port) as one:
            one.sendall(b"GET /v1/images HTTP/1.1\r\nHost: " + poison.encode() + b"\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda link=one: link.recv(65_536), b""))
        if b" 5" in answer[:14] or b"evil.example" in answer:
            return f"host {poison[:20]!r}: {answer[:80]!r}"
    return ""


ATTACKS: dict[str, Attack] = {
    "declared": declared,
    "endless": endless,
    "lying": lying,
    "many parts": many_parts,
    "large head": large_head,
    "packed": packed,
    "ranges": ranges,
    "hosts": hosts,
}


def _head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *lines, "", "")).encode()


class Slow:
    """Connections that send a byte a second, of a head or of a body; `lasted` says how long each was held."""

    def __init__(self, host: str, port: int, count: int, *, body: bool) -> None:
        head = (
            _head("POST", "/v1/images", "Content-Length: 100000", "Content-Type: application/json")
            if body
            else b"GET /h"
        )
        self._over = threading.Event()
        self.began = time.monotonic()
        self.lasted: list[float] = []
        self._links = [socket.create_connection((host, port), timeout=20) for _ in range(count)]
        for link in self._links:
            link.sendall(head)
            link.setblocking(False)
        self._thread = threading.Thread(target=self._drip, daemon=True)
        self._thread.start()

    def _drip(self) -> None:
        alive = list(self._links)
        while alive and not self._over.wait(1.0):
            for link in list(alive):
                try:
                    link.send(b" ")
                    link.recv(4096)  # an answer, or the end
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                alive.remove(link)
                self.lasted.append(time.monotonic() - self.began)

    def wait(self, within_s: float) -> int:
        """Wait until all were let go, `within_s` at most; returns how many are still open."""
        self._thread.join(within_s)
        self._over.set()
        self._thread.join(5)
        for link in self._links:
            link.close()
        return len(self._links) - len(self.lasted)


def healthy_p99_s(url: str, count: int = 100) -> float:
    """Return the 99th percentile of a healthy caller's answers."""
    took = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(count):
            started = time.monotonic()
            client.get("/v1/images?limit=1").raise_for_status()
            took.append(time.monotonic() - started)
    return sorted(took)[int(0.99 * (count - 1))]


def measure(connections: int = 500) -> Row:
    """Attack a service in every way while a healthy caller is timed."""
    with serving() as url:
        where = urlsplit(url)
        host, port = where.hostname or "", where.port or 0
        healthy_p99_s(url)
        with watched(processes.api()) as memory:
            faults = [fault for attack in ATTACKS.values() if (fault := attack(host, port))]
            slow = [Slow(host, port, connections // 2, body=body) for body in (False, True)]
            healthy_s = healthy_p99_s(url)
            left = [one.wait(80) for one in slow]
            faults += [f"{count} slow connections are still held after 80 s" for count in left if count]
    failures = (
        *faults,
        *([f"memory grew by {memory['growth_mb']:.0f} MB"] if memory["growth_mb"] > GROWTH_MB else []),
        *([f"a healthy caller waited {1000 * healthy_s:.0f} ms"] if healthy_s > HEALTHY_S else []),
    )
    heads, bodies = (max(one.lasted, default=0.0) for one in slow)
    return Row(
        id="F6",
        fault="bodies and heads that hurt",
        load=f"{len(ATTACKS)} attacks, {connections} slow connections",
        survived=len(ATTACKS) + connections - len(faults),
        lost=len(faults),
        failures=failures,
        seen=f"memory {memory['growth_mb']:+.0f} MB; healthy p99 {1000 * healthy_s:.0f} ms; slow heads let go after {heads:.0f} s, bodies {bodies:.0f} s",
    )


def main() -> None:
    """Measure and print the row."""
    run(measure, __doc__)


if __name__ == "__main__":
    main()
