"""The way to a model server, against servers that refuse, hang, break off and talk nonsense."""

import gc
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from models.errors import BackendDown, BackendUnfit, BadInput, BadOutput, ModelError, ModelMissing
from models.vlm.breaker import CircuitBreaker
from models.vlm.transport import Transport, retry_after_s

Act = Callable[[BaseHTTPRequestHandler], None]
SECRET = b'{"error":{"message":"PIL at 0x7f1234567890 in /srv/secret"}}'


def answers(status: int, body: bytes = b"{}", **headers: str) -> Act:
    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def cuts(handler: BaseHTTPRequestHandler) -> None:
    """Announce more than is sent, then close."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def resets(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def drips(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever: no single read times out."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        for _ in range(200):
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)


def hangs(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)


class Scripted:
    """A server that does what `acts` say, one after another; the last one for ever."""

    def __init__(self, *acts: Act) -> None:
        self.acts = list(acts)
        self.calls = 0

    def next(self) -> Act:
        self.calls += 1
        return self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that give up are what these tests are about."""


@contextmanager
def server(scripted: Scripted) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            scripted.next()(self)

        def do_POST(self) -> None:
            self.do_GET()

    httpd = _Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class Line:
    """A transport to a scripted server, the pauses it made, and its breaker."""

    def __init__(self, url: str, timeout_s: float = 5.0, **more: object) -> None:
        self.pauses: list[float] = []
        self.transport = Transport(url, timeout_s=timeout_s, pause=self.pauses.append, **more)

    def post(self, deadline_s: float | None = None) -> dict:
        return self.transport.post("x", {"a": 1}, self.transport.clock(deadline_s))


@contextmanager
def line(*acts: Act, **more: object) -> Iterator[tuple[Line, Scripted]]:
    scripted = Scripted(*acts)
    with server(scripted) as url:
        made = Line(url, **more)
        yield made, scripted
        made.transport.close()


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_server_that_took_no_work_is_asked_again(status: int) -> None:
    with line(answers(status), answers(status), answers(200, b'{"ok":1}')) as (asked, scripted):
        assert asked.post() == {"ok": 1}
        assert scripted.calls == 3
        assert len(asked.pauses) == 2
        assert asked.transport.breaker.state == "closed"


def test_pauses_have_full_jitter_and_grow() -> None:
    firsts, seconds = [], []
    for _ in range(20):
        with line(answers(503), breaker=CircuitBreaker(failures=99)) as (asked, _scripted):
            with pytest.raises(BackendDown):
                asked.post()
            firsts.append(asked.pauses[0])
            seconds.append(asked.pauses[1])
    assert max(firsts) <= 0.25 < max(seconds) <= 0.5
    assert max(firsts) - min(firsts) > 0.05, "without jitter all clients come back at the same moment"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_what_was_done_or_refused_is_not_sent_twice(status: int) -> None:
    with line(answers(status, SECRET)) as (asked, scripted):
        with pytest.raises(ModelError) as caught:
            asked.post()
        assert scripted.calls == 1
        assert "0x7f" not in str(caught.value)
        assert "secret" not in str(caught.value)


def test_retry_after_is_honoured_and_passed_on() -> None:
    with line(answers(503, Retry_After="2"), answers(200, b'{"ok":1}')) as (asked, _):
        assert asked.post() == {"ok": 1}
        assert 2.0 <= asked.pauses[0] <= 2.25
    with line(answers(429, Retry_After="60")) as (asked, scripted):
        with pytest.raises(BackendDown) as caught:
            asked.post(deadline_s=3.0)
        assert caught.value.retry_after_s == 60
        assert (scripted.calls, asked.pauses) == (1, []), "a pause beyond the deadline helps nobody"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), (None, 0.0), ("", 0.0), ("-1", 0.0), ("soon", 0.0), ("nan", 0.0), ("inf", 0.0)],
)
def test_retry_after_is_read_with_care(value: str | None, seconds: float) -> None:
    assert retry_after_s(value) == seconds


def test_retry_after_may_be_a_date() -> None:
    assert retry_after_s(formatdate(time.time() + 30, usegmt=True)) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("status", "error", "setting"),
    [
        (401, BackendUnfit, "MARKWISE_VLM_API_KEY"),
        (403, BackendUnfit, "KEY"),
        (404, ModelMissing, "MARKWISE_VLM_MODEL"),
    ],
)
def test_a_wrong_setting_is_named(status: int, error: type[Exception], setting: str) -> None:
    with line(answers(status)) as (asked, _), pytest.raises(error, match=setting):
        asked.post()


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (answers(500, SECRET), BackendDown),
        (cuts, BackendDown),
        (resets, BackendDown),
        (answers(200, b"<html>"), BadOutput),
        (answers(200, b"[1]"), BadOutput),
        (answers(200, b" " * 4_000_001), BadOutput),
    ],
)
def test_five_failures_open_the_breaker_and_the_server_is_left_alone(act: Act, error: type[ModelError]) -> None:
    with line(act) as (asked, scripted):
        for _ in range(5):
            with pytest.raises(error):
                asked.post()
        assert asked.transport.breaker.state == "open"
        for _ in range(50):
            with pytest.raises(BackendDown, match="left alone") as caught:
                asked.post()
            assert 0 < caught.value.retry_after_s <= 5
        assert scripted.calls == 5


def test_it_closes_again_when_the_server_is_back() -> None:
    now = [0.0]
    breaker = CircuitBreaker(failures=2, open_s=5, clock=lambda: now[0])
    with line(answers(500), answers(500), answers(500), answers(200, b'{"ok":1}'), breaker=breaker) as (
        asked,
        scripted,
    ):
        for _ in range(2):
            with pytest.raises(BackendDown):
                asked.post()
        now[0] = 5.0
        with pytest.raises(BackendDown, match="500"):
            asked.post()
        assert breaker.state == "open"
        now[0] = 10.0
        assert asked.post() == {"ok": 1}
        assert (breaker.state, scripted.calls) == ("closed", 4)


@pytest.mark.parametrize("status", [400, 404, 429])
def test_a_server_that_answers_is_not_broken(status: int) -> None:
    with line(answers(status)) as (asked, _):
        for _ in range(10):
            with pytest.raises(ModelError):
                asked.post()
        assert asked.transport.breaker.state == "closed"


def test_an_absent_server_opens_it_too() -> None:
    asked = Line("http://127.0.0.1:1")
    for _ in range(3):
        with pytest.raises(BackendDown):
            asked.post()
    assert asked.transport.breaker.state == "open"
    assert len(asked.pauses) <= 4
    asked.transport.close()


@pytest.mark.parametrize("act", [hangs, drips])
def test_a_deadline_holds_whatever_the_server_does(act: Act) -> None:
    with line(act) as (asked, _):
        start = time.monotonic()
        with pytest.raises(BackendDown, match="in time"):
            asked.post(deadline_s=0.3)
        assert time.monotonic() - start < 1.2
        # A caller who waits for 0.3 s has learnt nothing about the server.
        for _ in range(6):
            with pytest.raises(BackendDown, match="in time"):
                asked.post(deadline_s=0.01)
        assert asked.transport.breaker.state == "closed"


def test_a_server_that_uses_up_the_whole_time_is_broken() -> None:
    with line(hangs, timeout_s=0.1) as (asked, _):
        for _ in range(5):
            with pytest.raises(BackendDown, match="in time"):
                asked.post()
        assert asked.transport.breaker.state == "open"


def test_a_stream_may_be_left_and_may_break() -> None:
    def begins(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b"data: 1\n\ndata: 2\n\n")
        handler.close_connection = True

    with line(answers(503), begins) as (asked, scripted):
        lines = asked.transport.lines("x", {}, asked.transport.clock(None))
        assert next(lines) == "data: 1"
        lines.close()
        assert scripted.calls == 2
        assert asked.transport.breaker.state == "closed"
    with line(cuts, breaker=CircuitBreaker(failures=1)) as (asked, scripted):
        with pytest.raises(BackendDown, match="broke"):
            list(asked.transport.lines("x", {}, asked.transport.clock(None)))
        assert scripted.calls == 1, "a stream that has begun is not sent again"
        assert asked.transport.breaker.state == "open"


def test_no_connection_is_leaked() -> None:
    acts = (answers(500), cuts, resets, answers(200, b"nonsense"), answers(200), hangs, answers(404), answers(400))
    scripted = Scripted(answers(200))
    with server(scripted) as url:
        asked = Line(url, breaker=CircuitBreaker(failures=10**6), timeout_s=0.3)
        for number in range(80):
            scripted.acts = [acts[number % len(acts)]]
            with suppress(ModelError):
                asked.post()
            with suppress(ModelError, StopIteration):
                next(asked.transport.lines("x", {}, asked.transport.clock(None)))
        scripted.acts = [answers(200, b'{"ok":1}')]
        assert asked.post() == {"ok": 1}
        gc.collect()
        port = int(url.rpartition(":")[2])
        ours = [c for c in psutil.Process().net_connections("tcp") if c.raddr and c.raddr.port == port]
        assert len([c for c in ours if c.status == psutil.CONN_ESTABLISHED]) <= 2
        asked.transport.close()


def test_the_cause_is_kept_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with line(answers(500, SECRET)) as (asked, _), caplog.at_level(logging.WARNING), pytest.raises(BackendDown):
        asked.post()
    assert "0x7f1234567890" in caplog.text
    with pytest.raises(BackendDown) as caught:
        Line("http://127.0.0.1:1").post()
    causes, error = [], caught.value
    while error is not None:
        causes.append(type(error).__name__)
        error = error.__cause__
    assert causes == ["BackendDown", "_TryAgain", "Unreachable", "ConnectionRefusedError"]


def test_listing_goes_past_the_breaker() -> None:
    with line(answers(500)) as (asked, scripted):
        for _ in range(5):
            with pytest.raises(BackendDown):
                asked.post()
        scripted.acts = [answers(200, json.dumps({"data": []}).encode())]
        assert asked.transport.get("models") == {"data": []}
        assert asked.transport.breaker.state == "open", "a server that lists its models may still fail at the rest"


def test_a_refused_request_is_the_callers() -> None:
    with line(answers(413)) as (asked, _), pytest.raises(BadInput):
        asked.post()
