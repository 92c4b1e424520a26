"""Which URLs and addresses pass: tables, no sockets."""

from ipaddress import ip_network

import pytest

from app.imaging.addresses import EVERYWHERE, may_call, parse_address, parse_url
from app.imaging.errors import FetchRefused
from tests.unit.app.imaging.hostile import HOSTILE_ADDRESSES, HOSTILE_URLS

PORTS = {80, 443}


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_inner_address_is_not_called(address: str) -> None:
    assert not may_call(parse_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::8a", "::ffff:8.8.8.8"]
)
def test_a_public_address_is_called(address: str) -> None:
    assert may_call(parse_address(address))


def test_an_operator_can_open_a_network() -> None:
    networks = (ip_network("10.1.0.0/16"), ip_network("127.0.0.1/32"))
    assert may_call(parse_address("10.1.2.3"), networks)
    assert may_call(parse_address("::ffff:10.1.2.3"), networks)
    assert not may_call(parse_address("10.2.2.3"), networks)
    assert not may_call(parse_address("127.0.0.2"), networks)


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
     "fe80::1", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1"],
)  # fmt: skip
def test_an_operator_cannot_open_metadata_and_multicast(address: str) -> None:
    assert not may_call(parse_address(address), EVERYWHERE)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_url_that_could_be_read_two_ways_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        parse_url(url, PORTS)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com./A.png?x=1#part", "https://example.com/A.png?x=1"),
        ("http://example.com:80/a b".replace(" ", "%20"), "http://example.com/a%20b"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com?x", "https://example.com/?x"),
        ("https://bild.example/größe.png", "https://bild.example/gr%C3%B6%C3%9Fe.png"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://under_score.example/@user/a:b", "https://under_score.example/@user/a:b"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]/"),
        ("http://example.com:443/", "http://example.com:443/"),
    ],
)
def test_a_plain_url_has_one_normal_form(url: str, normal: str) -> None:
    target = parse_url(url, PORTS)
    assert target.url == normal
    assert parse_url(normal, PORTS) == target
