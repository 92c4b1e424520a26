"""Which addresses and URLs we call on behalf of a stranger: pure rules, no sockets.

Called by fetch.py for the URL and for every address its name resolves to. `ipaddress.is_global` alone does not do: on
Python 3.11 it is True for NAT64 and 6to4 forms of 169.254.169.254, for multicast, and for 168.63.129.16.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote

from app.imaging.errors import FetchRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAX_URL_CHARACTERS = 4096
URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]+)(?P<target>[^#]*)(?:#.*)?", re.IGNORECASE)
AUTHORITY = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{0,5}))?")
# A last label that starts with a digit is an IPv4 spelling to some resolver: 2130706433, 0x7f.1, 017700000001, 127.1.
NUMERIC_HOST = re.compile(r"(?:.*\.)?[0-9][0-9A-Fa-fxX]*", re.DOTALL)
FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]")

# Never called, whatever the operator allows: "this network", link-local with its metadata services, the metadata
# addresses of Azure, Alibaba, Oracle and AWS, multicast, broadcast.
NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "168.63.129.16/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "224.0.0.0/3",
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::254/128",
        "ff00::/8",
    )
)
# The special-purpose registries of IANA, written out so that the rule does not change with the Python version.
PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
    )
)
EVERYWHERE: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
GLOBAL_V6 = IPv6Network("2000::/3")
# Teredo and other protocol assignments, 6to4 (which embeds an IPv4 address), documentation, AS112.
SPECIAL_V6 = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that has passed: the parts to dial, as one parser read them."""

    secure: bool
    host: str  # lower case, without brackets or a trailing dot
    port: int
    path: str  # with the query, ASCII

    @property
    def scheme(self) -> str:
        """`https` or `http`."""
        return "https" if self.secure else "http"

    @property
    def host_header(self) -> str:
        """The value of the Host header: the port only where it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        """The URL in its normal form."""
        return f"{self.scheme}://{self.host_header}{self.path}"


def parse_url(url: str, ports: Iterable[int]) -> Target:
    """Read an absolute http(s) URL; FetchRefused for anything that two parsers could read differently."""
    if len(url) > MAX_URL_CHARACTERS or FORBIDDEN.search(url):
        raise FetchRefused
    whole = URL.fullmatch(url)
    authority = AUTHORITY.fullmatch(whole["authority"]) if whole else None
    if whole is None or authority is None:
        raise FetchRefused
    secure = whole["scheme"].lower() == "https"
    port = int(authority["port"] or (443 if secure else 80))
    if port not in ports:
        raise FetchRefused
    target = whole["target"]
    path = target if target.startswith("/") else f"/{target}"
    return Target(
        secure=secure, host=_host(authority["host"]), port=port, path=quote(path, safe="/?%:@!$&'()*+,;=~-._[]")
    )


def parse_address(text: str) -> Address:
    """An address in its plain form, an IPv4 address mapped into IPv6 unwrapped; ValueError otherwise."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def may_call(address: Address, allow_networks: Iterable[Network] = ()) -> bool:
    """Whether a stranger may have us connect to `address`.

    Public unicast addresses, and those inside `allow_networks` of the operator; the addresses of NEVER in no case.
    """
    if _inside(address, NEVER):
        return False
    if _inside(address, allow_networks):
        return True
    if isinstance(address, IPv4Address):
        return address.is_global and not _inside(address, PRIVATE_V4)
    return address in GLOBAL_V6 and not _inside(address, SPECIAL_V6)


def _inside(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _host(text: str) -> str:
    host = text.lower()
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1]))
        host = host.removesuffix(".")
        if NUMERIC_HOST.fullmatch(host):
            return str(IPv4Address(host))
    except ValueError:
        raise FetchRefused from None
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in host.split(".")):
        raise FetchRefused
    return host
