"""Which addresses may be connected to, and what an origin is."""

from ipaddress import ip_address

import pytest

from sync_runner.errors import ConfigurationError
from sync_runner.network.hosts import Origin, build_rules, is_special, parse_origin

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.8",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:0a00:0001::1",
    "2002:7f00:0001::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:0101:0101::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert is_special(ip_address(address))
    assert not build_rules([]).allows(address, scheme="https")


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached_by_https_and_never_by_http(address: str) -> None:
    assert build_rules([]).allows(address, scheme="https")
    assert not build_rules(["0.0.0.0/0", "::/0"]).allows(address, scheme="http")


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "64:ff9b::10.0.0.7"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_opened_network_is_reached_in_every_form_of_its_addresses(
    address: str, scheme: str
) -> None:
    assert build_rules(["10.0.0.0/24"]).allows(address, scheme=scheme)
    assert not build_rules(["10.0.1.0/24"]).allows(address, scheme=scheme)


def test_a_zone_does_not_hide_a_link_local_address() -> None:
    assert not build_rules([]).allows("fe80::1%eth0", scheme="https")


def test_a_wrong_network_in_the_settings_is_said() -> None:
    with pytest.raises(ConfigurationError, match="not a network"):
        build_rules(["10.0.0.0/99"])


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.Example.com/v2", Origin("https", "api.example.com", 443)),
        ("https://api.example.com:443", Origin("https", "api.example.com", 443)),
        ("https://api.example.com.:8443/", Origin("https", "api.example.com", 8443)),
        ("http://10.0.0.1/x", Origin("http", "10.0.0.1", 80)),
        ("https://[2606:4700:0::1111]:9/x", Origin("https", "2606:4700::1111", 9)),
    ],
)
def test_two_spellings_of_an_origin_are_one(url: str, origin: Origin) -> None:
    assert parse_origin(url) == origin


def test_an_origin_is_written_without_the_port_that_its_scheme_has() -> None:
    assert parse_origin("https://h.example:443/x").url == "https://h.example"
    assert parse_origin("http://[::1]:8080/").url == "http://[::1]:8080"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "//host/",
        "host/path",
        "https:///path",
        "https://user:word@host/",
        "https://good.example\\@evil.example/",
        "https://good.example%5c.evil.example/",
        "https://a b/",
        "https://a,b/",
        "https://bücher.example/",
        "https://host:99999/",
        "https://[::1/",
        "https://-bad.example/",
    ],
)
def test_what_is_not_one_plain_host_is_no_origin(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words differ
        parse_origin(url)
