"""A web server that answers with whatever bytes a test wants, and a canary that only counts who called."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

Behaviour = Callable[[socket.socket], None]


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Behaviour:
    fields = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = f"HTTP/1.1 {status} Stub\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return lambda connection: connection.sendall(head.encode() + b"\r\n" + body)


def redirect(location: bytes, status: int = 302) -> Behaviour:
    return lambda connection: connection.sendall(
        f"HTTP/1.1 {status} Stub\r\nContent-Length: 0\r\nLocation: ".encode() + location + b"\r\n\r\n"
    )


class WebStub:
    """One connection per thread; `/to/{status}/{quoted URL}` redirects, other paths do what `paths` says, else 404."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        self.paths: dict[str, Behaviour] = {}
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._tls = tls
        self._socket = socket.create_server((address, 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open = True
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            connection, _peer = self._socket.accept()
            if not self._open:
                connection.close()
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(5)
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._respond(secured)
            else:
                self._respond(connection)

    def _respond(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        head, _, body = head.partition(b"\r\n\r\n")
        declared = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        while declared and len(body) < int(declared[1]):
            body += connection.recv(65536)
        self.heads.append(head)
        self.bodies.append(body)
        path = head.split(b" ")[1]
        if path.startswith(b"/to/"):
            _empty, _to, status, location = path.split(b"/", 3)
            redirect(unquote_to_bytes(location), int(status))(connection)
        else:
            self.paths.get(path.decode(), answer(404))(connection)

    def close(self) -> None:
        self._open = False
        with socket.create_connection(self._socket.getsockname()):
            pass
        for thread in self._threads:
            thread.join(5)
        self._socket.close()


class Canary:
    """Listens where nobody may connect."""

    def __init__(self, address: str) -> None:
        self._socket = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def callers(self) -> int:
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._socket.accept()[0].close()
                count += 1
        return count

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def running(address: str, tls: ssl.SSLContext | None = None) -> Iterator[WebStub]:
    stub = WebStub(address, tls)
    try:
        yield stub
    finally:
        stub.close()
