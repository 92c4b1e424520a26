"""A head that never ends is not waited for, a body neither; a real uvicorn with shorter patience."""

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from fastapi import FastAPI, Request

from app.http import middleware, problems
from app.http.middleware import RequestFrame
from app.stack import patience
from app.stack.patience import PatientProtocol, PatientServer

PATIENCE_S = 0.8
REQUEST = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"


@pytest.fixture
def told() -> threading.Event:
    """Set when the application hears that the process stops."""
    return threading.Event()


@pytest.fixture
def server(told: threading.Event, monkeypatch: pytest.MonkeyPatch) -> Iterator[PatientServer]:
    monkeypatch.setattr(patience, "HEAD_S", PATIENCE_S)
    monkeypatch.setattr(middleware, "BODY_S", PATIENCE_S)
    app = FastAPI()
    problems.install(app)
    app.add_middleware(RequestFrame)

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.post("/answer-first")
    async def answer_first() -> str:
        return "done"

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=PatientProtocol, log_level="warning", lifespan="off")
    server = PatientServer(config, told.set, leave_s=0.0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server
    server.should_exit = server.force_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture
def address(server: PatientServer) -> tuple[str, int]:
    return server.servers[0].sockets[0].getsockname()


def until_closed(link: socket.socket, drip: bytes = b"") -> tuple[bytes, float]:
    """What comes until the other end closes, and how long that took; sends a byte now and then."""
    started, said = time.monotonic(), b""
    link.settimeout(0.1)
    while time.monotonic() - started < 10:
        try:
            part = link.recv(65_536)
        except TimeoutError:
            with suppress(OSError):
                link.sendall(drip)
            continue
        except OSError:
            break
        if not part:
            break
        said += part
    return said, time.monotonic() - started


def answer(link: socket.socket) -> bytes:
    """One whole answer with a short body."""
    said = b""
    while b"\r\n\r\n" not in said or said.endswith(b"\r\n\r\n"):
        said += link.recv(4096)
    return said


@pytest.mark.parametrize("begin", [b"", b"GET / HTTP/1.1\r\nX-A: "])
def test_a_head_must_come_in_time(address: tuple[str, int], begin: bytes) -> None:
    with socket.create_connection(address) as link:
        link.sendall(begin)
        said, took_s = until_closed(link, drip=b"a" if begin else b"")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert PATIENCE_S * 0.8 < took_s < 5


def test_the_head_of_a_second_request_must_come_in_time_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        link.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        assert answer(link).startswith(b"HTTP/1.1 200 ")
        link.sendall(b"GET / HTTP/1.1\r\nX-A: ")
        said, took_s = until_closed(link, drip=b"a")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert took_s < 5


def test_a_head_must_fit(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        with suppress(OSError):
            link.sendall(b"GET / HTTP/1.1\r\nX-A: " + b"a" * 300_000)
        said, _ = until_closed(link)
    assert said.startswith(b"HTTP/1.1 431 ") or said == b""


def test_a_body_must_come_in_time(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        link.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
        said, took_s = until_closed(link, drip=b"a")
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body.timeout"' in said
    assert PATIENCE_S * 0.8 < took_s < 5


def test_what_comes_after_the_answer_is_not_waited_for(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        link.sendall(b"POST /answer-first HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\na")
        said, took_s = until_closed(link)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert took_s < PATIENCE_S * 0.8


def test_a_kept_connection_serves_many(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as link:
        for size in (0, 3, 70_000):
            link.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size)
            assert answer(link).endswith(str(size).encode())
            time.sleep(0.3)


def test_chunks_without_an_end_are_cut_off(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MAX_BODY_BYTES", 1_000_000)
    sent, status = 0, b""
    with socket.create_connection(address, timeout=10) as link:
        link.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        with suppress(OSError):
            while sent < 60_000_000:
                link.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")
                sent += 65_536
        with suppress(OSError):
            status = link.recv(4096)
    assert sent < 20_000_000, "socket buffers hold the rest"
    assert status == b"" or status.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_comes_while_the_process_stops_is_answered_and_let_go(
    server: PatientServer,
    told: threading.Event,
    address: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    monkeypatch.setattr(server, "_leave_s", 30.0)
    monkeypatch.setattr(patience, "HEAD_S", 30.0)
    with socket.create_connection(address) as kept, socket.create_connection(address) as silent:
        kept.sendall(REQUEST)
        assert answer(kept).startswith(b"HTTP/1.1 200 ")
        while len(server.server_state.connections) < 2:
            time.sleep(0.01)
        server.handle_exit(number, None)
        assert told.wait(10), "the application is told first"
        with socket.create_connection(address) as late:
            for link in (kept, silent, late):
                link.sendall(REQUEST)
                said, _ = until_closed(link)
                assert said.startswith(b"HTTP/1.1 200 "), said
                assert b"connection: close" in said


def test_behind_the_closed_door_a_request_on_its_way_is_answered(
    server: PatientServer, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_leave_s", 0.1)
    monkeypatch.setattr(patience, "LAST_WORD_S", 30.0)
    monkeypatch.setattr(patience, "HEAD_S", 30.0)
    with socket.create_connection(address) as kept, socket.create_connection(address) as silent:
        kept.sendall(REQUEST)
        assert answer(kept).startswith(b"HTTP/1.1 200 ")
        while len(server.server_state.connections) < 2:
            time.sleep(0.01)
        server.handle_exit(signal.SIGTERM, None)
        while server.servers[0].is_serving():
            time.sleep(0.01)
        for link in (kept, silent):
            link.sendall(REQUEST)
            said, _ = until_closed(link)
            assert said.startswith(b"HTTP/1.1 200 "), said
            assert b"connection: close" in said


def test_where_nobody_else_is_asked_instead_nobody_is_waited_for(
    server: PatientServer, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_S", 30.0)
    with socket.create_connection(address) as idle:
        while not server.server_state.connections:
            time.sleep(0.01)
        server.handle_exit(signal.SIGTERM, None)
        said, _ = until_closed(idle)
    assert said == b""
