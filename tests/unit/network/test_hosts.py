"""Which addresses may be connected to."""

from ipaddress import ip_address

import pytest

from sync_runner.errors import ConfigurationError
from sync_runner.network.hosts import build_rules, is_special

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
    assert not build_rules([]).allows(address, is_encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached_by_tls_and_never_without(address: str) -> None:
    assert build_rules([]).allows(address, is_encrypted=True)
    assert not build_rules(["0.0.0.0/0", "::/0"]).allows(address, is_encrypted=False)


@pytest.mark.parametrize("address", ["10.0.0.7", "::ffff:10.0.0.7", "64:ff9b::10.0.0.7"])
@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "tls"])
def test_an_opened_network_is_reached_in_every_form_of_its_addresses(
    address: str, is_encrypted: bool
) -> None:
    assert build_rules(["10.0.0.0/24"]).allows(address, is_encrypted=is_encrypted)
    assert not build_rules(["10.0.1.0/24"]).allows(address, is_encrypted=is_encrypted)


def test_a_zone_does_not_hide_a_link_local_address() -> None:
    assert not build_rules([]).allows("fe80::1%eth0", is_encrypted=True)


def test_a_wrong_network_in_the_settings_is_said() -> None:
    with pytest.raises(ConfigurationError, match="not a network"):
        build_rules(["10.0.0.0/99"])
