"""Fetching from a real server: what is asked, what is followed, and that every wait and every size ends."""

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.imaging.errors import FetchFailed, FetchNotFound, FetchRefused, FetchTimedOut, ImagingError, TooLarge
from app.imaging.fetch import Fetched, FetchPolicy, fetch
from tests.integration.web_stub import Canary, WebStub, answer, redirect, running

ADDRESS = "127.0.0.2"
CAP = 100_000


@pytest.fixture
def web() -> Iterator[WebStub]:
    with running(ADDRESS) as stub:
        yield stub


@pytest.fixture
def policy(web: WebStub) -> FetchPolicy:
    return FetchPolicy(
        ports=frozenset({web.port}),
        allow_networks=(ip_network(f"{ADDRESS}/32"),),
        max_bytes=CAP,
        connect_s=2.0,
        total_s=5.0,
    )


@pytest.fixture
def get(web: WebStub, policy: FetchPolicy) -> Callable[[str], Fetched]:
    return lambda path: fetch(f"http://pictures.test:{web.port}{path}", policy, resolver=lambda *_: [ADDRESS])


@pytest.fixture
def hasty_get(web: WebStub, policy: FetchPolicy) -> Callable[[str], Fetched]:
    hasty = replace(policy, total_s=0.5)
    return lambda path: fetch(f"http://pictures.test:{web.port}{path}", hasty, resolver=lambda *_: [ADDRESS])


Get = Callable[[str], Fetched]
SOON_S = 3.0  # a deadline of 0.5 s, on a busy machine


def test_the_bytes_the_claim_and_the_final_url(web: WebStub, get: Get) -> None:
    web.paths["/a.png?x=1"] = answer(200, b"picture", Content_Type="Image/PNG; charset=x")
    web.paths["/first"] = redirect(b"/a.png?x=1#part", 301)
    expected = Fetched(data=b"picture", media_type="image/png", final_url=f"http://pictures.test:{web.port}/a.png?x=1")
    assert get("/first") == expected


def test_the_request_carries_nothing_of_ours(web: WebStub, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    bird = Canary("127.0.0.1")
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{bird.port}")
    web.paths["/a"] = answer(200, b"x", Set_Cookie="session=1")
    web.paths["/b"] = redirect(b"/a")
    get("/a")
    get("/b")
    assert bird.callers() == 0
    bird.close()
    expected = {"host", "user-agent", "accept", "accept-encoding", "connection"}
    for head in web.heads:
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        assert {name.lower() for name in fields} == expected
        assert fields["Host"] == f"pictures.test:{web.port}"
        assert fields["Accept-Encoding"] == "identity"


def test_three_redirects_are_followed_and_a_fourth_is_not(web: WebStub, get: Get) -> None:
    web.paths |= {f"/{left}": redirect(b"/%d" % (left - 1)) for left in range(1, 5)}
    web.paths["/0"] = answer(200, b"there")
    assert get("/3").data == b"there"
    with pytest.raises(FetchFailed, match="too often"):
        get("/4")


def test_a_redirect_loop_ends(web: WebStub, get: Get) -> None:
    web.paths["/round"] = redirect(b"/round")
    with pytest.raises(FetchFailed):
        get("/round")
    assert len(web.heads) == 4


@pytest.mark.parametrize("location", [b"", b"\xff\xfe", b"http://", b"http://[", b"//", b"\\\\127.0.0.1"])
def test_a_redirect_to_nothing_ends(web: WebStub, get: Get, location: bytes) -> None:
    web.paths["/"] = redirect(location)
    with pytest.raises((FetchRefused, FetchFailed)):
        get("/")


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 410, 429, 500, 503])
def test_another_status_is_not_a_picture(web: WebStub, get: Get, status: int) -> None:
    web.paths["/"] = answer(status, b"" if status in {204, 304} else b"secret page")
    with pytest.raises(FetchNotFound) as failed:
        get("/")
    assert "secret" not in failed.value.detail


def test_a_declared_size_beyond_the_cap_is_not_read(web: WebStub, get: Get) -> None:
    web.paths["/"] = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx")
    with pytest.raises(TooLarge):
        get("/")


@pytest.mark.parametrize("chunked", [True, False])
def test_an_endless_body_ends_at_the_cap(web: WebStub, get: Get, chunked: bool) -> None:
    sent = []

    def pour(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        kind = b"Transfer-Encoding: chunked" if chunked else b"Connection: close"
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + bytes(4096) + b"\r\n" if chunked else bytes(4096))
            sent.append(4096)

    web.paths["/"] = pour
    with pytest.raises(TooLarge):
        get("/")
    assert sum(sent) < CAP + 8 * 1024 * 1024  # what loopback buffers hold


def drip(*first: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.sendall(b"".join(first))
        while True:
            connection.sendall(b"a")
            time.sleep(0.02)

    return behave


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"), id="slow body"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\nX-Slow: "), id="slow header"),
        pytest.param(drip(b"HTTP/1.1 200 "), id="slow status line"),
        pytest.param(lambda connection: connection.recv(1), id="silence"),
    ],
)
def test_a_slow_server_ends_at_the_deadline(
    web: WebStub, hasty_get: Get, behaviour: Callable[[socket.socket], None]
) -> None:
    web.paths["/"] = behaviour
    started_s = time.monotonic()
    with pytest.raises(FetchTimedOut) as failed:
        hasty_get("/")
    assert 0.4 < time.monotonic() - started_s < SOON_S
    assert failed.value.status == 504


def test_slow_redirects_share_one_deadline(web: WebStub, hasty_get: Get) -> None:
    def late(connection: socket.socket) -> None:
        time.sleep(0.2)
        redirect(b"/")(connection)

    web.paths["/"] = late
    started_s = time.monotonic()
    with pytest.raises(FetchTimedOut):
        hasty_get("/")
    assert time.monotonic() - started_s < SOON_S


def test_a_slow_name_ends_at_the_deadline(policy: FetchPolicy, web: WebStub) -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(0.6)
        return [ADDRESS]

    with pytest.raises(FetchTimedOut):
        fetch(f"http://slow.test:{web.port}/", replace(policy, total_s=0.3), resolver=slow)


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(lambda connection: connection.sendall(b"\x89PNG garbage\r\n\r\n" * 9), id="not HTTP"),
        pytest.param(lambda connection: connection.close(), id="hangs up"),
        pytest.param(answer(200, b"cut", Content_Length="100"), id="cut short"),
        pytest.param(answer(200, b"x", X_Long="a" * 300_000), id="huge header"),
        pytest.param(answer(200, b"x", **{f"X-{number}": "a" * 100 for number in range(3000)}), id="many headers"),
        pytest.param(answer(200, b"\x1f\x8b", Content_Encoding="gzip"), id="compressed"),
        pytest.param(
            lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="bad chunk",
        ),
    ],
)
def test_a_broken_answer_is_a_failed_fetch(web: WebStub, get: Get, behaviour: Callable[[socket.socket], None]) -> None:
    web.paths["/"] = behaviour
    with pytest.raises(FetchFailed) as failed:
        get("/")
    assert failed.value.detail == FetchFailed.default_detail


def test_the_next_address_is_tried_when_one_does_not_answer(web: WebStub, policy: FetchPolicy) -> None:
    web.paths["/"] = answer(200, b"ok")
    both = replace(policy, allow_networks=(ip_network("127.0.0.2/31"),))
    url = f"http://two.test:{web.port}/"
    assert fetch(url, both, resolver=lambda *_: ["127.0.0.3", ADDRESS]).data == b"ok"
    with pytest.raises(FetchFailed):
        fetch(url, both, resolver=lambda *_: ["127.0.0.3"])


def test_an_operator_can_open_one_name_and_not_its_neighbour(web: WebStub, policy: FetchPolicy) -> None:
    web.paths["/"] = answer(200, b"ok")
    named = replace(policy, allow_networks=(), allow_hosts=frozenset({"store.test"}))
    assert fetch(f"http://store.test:{web.port}/", named, resolver=lambda *_: [ADDRESS]).data == b"ok"
    for url, address in {
        f"http://other.test:{web.port}/": ADDRESS,
        f"http://sub.store.test:{web.port}/": ADDRESS,
        f"http://{ADDRESS}:{web.port}/": ADDRESS,
        f"http://store.test:{web.port}/?metadata": "169.254.169.254",
    }.items():
        with pytest.raises(FetchRefused):
            fetch(url, named, resolver=lambda *_, found=address: [found])


def test_plain_http_can_be_refused(web: WebStub, policy: FetchPolicy) -> None:
    with pytest.raises(FetchRefused):
        fetch(f"http://pictures.test:{web.port}/", replace(policy, allow_http=False), resolver=lambda *_: [ADDRESS])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for secure.test, and its key, in one file each."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=secure.test -addext subjectAltName=DNS:secure.test"
    )
    try:
        subprocess.run(
            [*command.split(), "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("needs the openssl command to make a certificate")
    return folder / "certificate.pem"


@pytest.fixture
def secure(certificate: Path) -> Iterator[WebStub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with running(ADDRESS, context) as stub:
        stub.paths["/"] = answer(200, b"secret picture")
        yield stub


def get_secure(stub: WebStub, policy: FetchPolicy, ca_file: Path | None, host: str = "secure.test") -> Fetched:
    ports = policy.ports | {stub.port}
    opened = replace(policy, ports=ports, ca_file=None if ca_file is None else str(ca_file))
    return fetch(f"https://{host}:{stub.port}/", opened, resolver=lambda *_: [ADDRESS])


def test_tls_is_verified_by_name_though_the_address_is_dialled(
    secure: WebStub, policy: FetchPolicy, certificate: Path
) -> None:
    assert get_secure(secure, policy, certificate).data == b"secret picture"
    for host, ca_file in [("other.test", certificate), (ADDRESS, certificate), ("secure.test", None)]:
        with pytest.raises(FetchFailed) as failed:
            get_secure(secure, policy, ca_file, host)
        assert failed.value.detail == FetchFailed.default_detail


def test_https_does_not_fall_back_to_http(
    secure: WebStub, web: WebStub, policy: FetchPolicy, certificate: Path
) -> None:
    secure.paths["/"] = redirect(f"http://secure.test:{web.port}/".encode())
    with pytest.raises(FetchRefused):
        get_secure(secure, policy, certificate)
    assert web.heads == []


def test_a_tls_handshake_that_never_comes_ends(web: WebStub, policy: FetchPolicy, certificate: Path) -> None:
    started_s = time.monotonic()
    with pytest.raises(ImagingError):
        get_secure(web, replace(policy, total_s=0.5), certificate)
    assert time.monotonic() - started_s < SOON_S
