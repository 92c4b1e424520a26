"""No door leads to an inner address: every hostile address and URL through every door, watched from below.

Two witnesses: a canary that listens on 127.0.0.1, and an audit hook that sees each socket.connect of this process.
"""

import sys
from collections.abc import Iterator
from ipaddress import ip_network
from urllib.parse import quote

import pytest

from app.imaging.errors import FetchFailed, FetchRefused
from app.imaging.fetch import FetchPolicy, fetch
from tests.integration.web_stub import Canary, WebStub, running
from tests.unit.app.imaging.hostile import HOSTILE_ADDRESSES, HOSTILE_URLS

OUTSIDE = "127.0.0.2"  # plays the public web: the only address the policy opens
DIALLED: list[str] = []
WATCHING: list[bool] = []


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and WATCHING:
        DIALLED.append(str(arguments[1][0]))  # type: ignore[index]  # (host, port, ...) of an internet socket


@pytest.fixture(scope="module", autouse=True)
def hook() -> None:
    sys.addaudithook(watch)  # cannot be removed: WATCHING switches it off


@pytest.fixture(scope="module")
def web() -> Iterator[WebStub]:
    with running(OUTSIDE) as stub:
        yield stub


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    bird = Canary("127.0.0.1")
    yield bird
    bird.close()


@pytest.fixture
def policy(web: WebStub, canary: Canary) -> FetchPolicy:
    ports = frozenset({80, 443, web.port, canary.port})
    return FetchPolicy(ports=ports, allow_networks=(ip_network(f"{OUTSIDE}/32"),), connect_s=0.3, total_s=2.0)


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def redirect_to(web: WebStub, status: int, location: str) -> str:
    return f"http://outside.test:{web.port}/to/{status}/{quote(location, safe='')}"


DOORS = [
    "name", "literal", "mixed first", "mixed last", "name over https",
    "301", "302", "303", "307", "308", "302 to a name", "three hops", "https literal by 302",
]  # fmt: skip


def door_url(door: str, address: str, web: WebStub, port: int) -> str:
    literal = f"http://{bracketed(address)}:{port}/"
    match door:
        case "literal":
            return literal
        case "name over https":
            return f"https://inner.test:{port}/"
        case "302 to a name":
            return redirect_to(web, 302, f"http://inner.test:{port}/")
        case "three hops":
            return redirect_to(web, 301, redirect_to(web, 307, redirect_to(web, 302, literal)))
        case "https literal by 302":
            return redirect_to(web, 302, literal.replace("http:", "https:"))
        case status if status.isdigit():
            return redirect_to(web, int(status), literal)
        case _:
            return f"http://inner.test:{port}/"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_no_door_leads_to_an_inner_address(
    door: str, address: str, web: WebStub, canary: Canary, policy: FetchPolicy
) -> None:
    answers = {"mixed first": [address, "1.1.1.1"], "mixed last": [OUTSIDE, address]}.get(door, [address])
    names = {"outside.test": [OUTSIDE], "inner.test": answers}
    DIALLED.clear()
    WATCHING.append(True)
    try:
        with pytest.raises(FetchRefused) as refused:
            fetch(door_url(door, address, web, canary.port), policy, resolver=lambda host, _port: names[host])
    finally:
        WATCHING.clear()
    assert canary.callers() == 0
    assert set(DIALLED) <= {OUTSIDE}
    assert refused.value.detail == FetchRefused.default_detail


def absolute_and_printable(url: str) -> bool:
    """Whether a Location header can carry the URL and it is not a relative one."""
    return url.startswith(("http://", "https://")) and not set(url) & {"\r", "\n", "\x00", "\ud800"}


@pytest.mark.parametrize(
    ("door", "url"),
    [("direct", url) for url in HOSTILE_URLS] + [("302", url) for url in HOSTILE_URLS if absolute_and_printable(url)],
)
def test_no_door_leads_through_an_odd_url(
    door: str, url: str, web: WebStub, canary: Canary, policy: FetchPolicy
) -> None:
    # The same host with the canary's port, which the policy opens: then only the rule on hosts protects.
    scheme, slashes, rest = url.partition("//")
    aimed = scheme + slashes + rest.replace("/", f":{canary.port}/", 1)
    DIALLED.clear()
    for spelled in {url, aimed}:
        start = spelled if door == "direct" else redirect_to(web, 302, spelled)
        WATCHING.append(True)
        try:
            with pytest.raises((FetchRefused, FetchFailed)) as refused:
                fetch(start, policy, resolver=lambda host, _port: [OUTSIDE if host == "outside.test" else "127.0.0.1"])
        finally:
            WATCHING.clear()
        assert door == "302" or isinstance(refused.value, FetchRefused)
    assert canary.callers() == 0
    assert set(DIALLED) <= {OUTSIDE}


def test_the_canary_sings_when_it_is_called(canary: Canary) -> None:
    open_policy = FetchPolicy(ports=frozenset({canary.port}), allow_networks=(ip_network("127.0.0.1/32"),), total_s=0.3)
    DIALLED.clear()
    WATCHING.append(True)
    try:
        with pytest.raises(FetchFailed):
            fetch(f"http://127.0.0.1:{canary.port}/", open_policy)
    finally:
        WATCHING.clear()
    assert (canary.callers(), DIALLED) == (1, ["127.0.0.1"])


def test_a_name_is_resolved_once_and_its_second_answer_does_not_matter(web: WebStub, policy: FetchPolicy) -> None:
    web.paths["/once"] = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    answers = [[OUTSIDE], ["127.0.0.1"]]
    assert fetch(f"http://rebind.test:{web.port}/once", policy, resolver=lambda *_: answers.pop(0)).data == b"ok"
    assert len(answers) == 1


def test_a_redirect_is_resolved_anew_and_checked_again(web: WebStub, canary: Canary, policy: FetchPolicy) -> None:
    answers = [[OUTSIDE], ["127.0.0.1"]]
    url = f"http://rebind.test:{web.port}/to/302/{quote(f'http://rebind.test:{canary.port}/', safe='')}"
    with pytest.raises(FetchRefused):
        fetch(url, policy, resolver=lambda *_: answers.pop(0))
    assert (answers, canary.callers()) == ([], 0)


def test_a_name_without_an_address_looks_like_an_inner_one(policy: FetchPolicy) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError

    for resolver in (unknown, lambda *_: [], lambda *_: ["not an address"]):
        with pytest.raises(FetchRefused) as refused:
            fetch("http://nowhere.test/", policy, resolver=resolver)
        assert refused.value.detail == FetchRefused.default_detail
