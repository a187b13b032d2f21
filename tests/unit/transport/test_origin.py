"""What an origin is."""

import pytest

from sync_runner.transport.origin import Origin, parse_origin


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
