"""Addresses and URLs that a stranger must not have us call. The fetch tests run each through several doors."""

HOSTILE_ADDRESSES = [
    # this machine
    "127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:0:127.0.0.1",
    # private networks
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
    "::ffff:10.0.0.1", "::ffff:192.168.1.1", "fc00::1", "fd12:3456:789a::1", "fec0::1",
    # link-local and metadata services
    "169.254.0.1", "169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "fe80::1", "fe80::1%lo",
    "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254",
    # carrier-grade NAT, protocol assignments, benchmarks, documentation
    "100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.0.170", "198.18.0.1", "198.19.255.255",
    "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1",
    # addresses that carry another one: NAT64, local NAT64, 6to4 and its relays, Teredo, ORCHID
    "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1",
    "192.88.99.1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1",
    # groups, discard, segment routing, reserved
    "224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1", "240.0.0.1", "255.255.255.255", "100::1", "100:64::1",
    "5f00::1", "4000::1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "2620:4f:8000::1",
]  # fmt: skip

# PORT stands for the port of the canary in the fetch tests, 80 elsewhere.
HOSTILE_URLS = [
    # other schemes and no scheme
    "file:///etc/passwd", "ftp://example.com/a.png", "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/",
    "data:image/png;base64,iVBORw0KGgo=", "javascript:alert(1)", "ws://example.com/", "unix:///var/run/docker.sock",
    "//example.com/a.png", "example.com/a.png", "/etc/passwd", "", "http:", "http:/", "http://", "https:///a.png",
    "http:example.com", "http:/example.com/", "http:///127.0.0.1/", "hxxp://example.com/", "http//example.com",
    "jar:http://127.0.0.1!/", "view-source:http://127.0.0.1/", "http+unix://socket/",
    # numbers that some resolver takes for 127.0.0.1 or 169.254.169.254
    "http://2130706433/", "http://017700000001/", "http://0x7f000001/", "http://0x7f.1/", "http://127.1/",
    "http://127.0.1/", "http://0/", "http://0177.0.0.1/", "http://0x7f.0x0.0x0.0x1/", "http://127.0.0.01/",
    "http://127.000.000.001/", "http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/",
    "http://169.254.43518/", "http://425.510.425.510/", "http://1.1.1.1.1/", "http://256.1.1.1/", "http://127.0.0.1.0/",
    "http://00000000000000000177.0.0.1/", "http://0x7f.0.1/", "http://example.0x7f/", "http://example.1/",
    # digits and dots of other scripts, which IDNA turns into ASCII
    "http://①②⑦.⓪.⓪.①/", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://127．0．0．1/",
    "http://ｌｏｃａｌｈｏｓｔ/", "http://loc\u00adalhost/", "http://\u200blocalhost/", "http://ℓocalhost/",
    # credentials and confused authorities
    "http://user@example.com/", "http://user:pass@example.com/", "http://example.com@127.0.0.1/",
    "http://127.0.0.1@example.com/", "http://example.com:80@127.0.0.1/", "http://example.com%40127.0.0.1/",
    "http://@127.0.0.1/", "http://:@127.0.0.1/", "http://example.com:pass@127.0.0.1:80/", "http://a@b@127.0.0.1/",
    # backslashes, white space and control characters
    "http://example.com\\@127.0.0.1/", "http://127.0.0.1\\.example.com/", "http:\\\\127.0.0.1\\",
    "http://example.com/\\..\\a", " http://example.com/", "http://example.com/ ", "http://exam\nple.com/",
    "http://example.com/a\r\nHost: 127.0.0.1", "http://example.com/\x00", "http://\t127.0.0.1/",
    "ht\ntp://127.0.0.1/", "http://example.com/\x7f", "http://127.0.0.1\u2028.example.com/", "http://example.com/\ud800",
    # odd hosts
    "http://[::1", "http://::1/", "http://[::1]a/", "http://[127.0.0.1]/", "http://[::1%25lo]/", "http://[fe80::1%lo]/",
    "http://[v1.fe80::1]/", "http://[]/", "http://[::ffff:127.0.0.1]]/", "http://exa%6dple.com/", "http://127.0.0.1%2f@x/",
    "http://.example.com/", "http://example..com/", "http://./", "http://../", "http://*.example.com/",
    "http://exam,ple.com/", "http://example.com;127.0.0.1/", "http://example.com,127.0.0.1/", "http://${HOST}/",
    "http://localhost|127.0.0.1/", "http://" + "a" * 64 + ".com/", "http://" + "a." * 130 + "com/", "http://<script>/",
    # ports
    "http://example.com:22/", "http://example.com:6379/", "http://example.com:0/", "http://example.com:65536/",
    "http://example.com:99999/", "http://example.com:-80/", "http://example.com:+80/", "http://example.com:80a/",
    "http://example.com:８０/", "http://example.com:80:443/", "http://example.com:0x50/", "http://example.com:000443/",
    "http://example.com/" + "a" * 5000,
]  # fmt: skip
