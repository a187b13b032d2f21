"""From a page to the next one, and where each style ends."""

from typing import Any
from urllib.parse import urljoin

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import Pagination
from hypothesis import example, given
from hypothesis import strategies as st

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import MISSING, Value
from sync_runner.sources.rest.pagination import PAGINATIONS, build_paginator
from sync_runner.sources.rest.pagination.next_url import join_address
from sync_runner.sources.rest.pagination.page import (
    Foresees,
    PageRequest,
    PageResponse,
    Paginator,
    add_params,
    set_last_param,
)
from sync_runner.transport.messages import Request

URL = "https://h.example/v2/orders?status=open"
FIRST = Request("GET", URL)


def _build(**spec: Any) -> Paginator:
    return build_paginator(Pagination.model_validate(spec))


NULL = Value("null")
EMPTY = Value("string")
FALSE = Value("boolean", "false")
TRUE = Value("boolean", "true")


def number(text: object) -> Value:
    return Value("number", str(text))


def text(value: str) -> Value:
    return Value("string", value)


def _page(*values: Value, rows: int = 10) -> PageResponse:
    return PageResponse(values, rows)


def _at(url: str) -> Request:
    return Request("GET", url)


def _next(paginator: Paginator, value: Value) -> PageRequest | None:
    return paginator.find_next(paginator.build_first(FIRST), _page(value))


def test_every_style_of_the_api_has_a_paginator() -> None:
    assert set(PAGINATIONS) == set(Pagination.model_fields)


def test_a_single_page_has_no_next() -> None:
    single = _build(none={})
    assert single.build_first(FIRST) == PageRequest(FIRST)
    assert single.find_next(PageRequest(FIRST), _page()) is None


@pytest.mark.parametrize(
    ("spec", "foresees"),
    [
        ({"none": {}}, False),
        ({"cursor": {"cursorPath": "next"}}, False),
        ({"offset": {"limit": 5}}, True),
        ({"nextUrl": {"nextUrlPath": "next"}}, False),
    ],
    ids=["none", "cursor", "offset", "nextUrl"],
)
def test_only_a_style_that_counts_foresees_pages(spec: dict[str, Any], foresees: bool) -> None:
    paginator = _build(**spec)
    assert isinstance(paginator, Foresees) is foresees
    assert (paginator.build_first(FIRST).counted is not None) is foresees


@pytest.mark.parametrize(
    "spec",
    [
        {"cursor": {"cursorPath": "next"}},
        {"offset": {"limit": 5}},
        {"nextUrl": {"nextUrlPath": "n"}},
    ],
    ids=["cursor", "offset", "nextUrl"],
)
def test_each_page_is_asked_for_as_the_first_one_but_for_its_address(spec: dict[str, Any]) -> None:
    paginator = _build(**spec)
    first = Request("POST", URL, (("X-A", "1"),), b'{"q": 1}')
    following = paginator.find_next(paginator.build_first(first), _page(text("t")))
    assert following is not None
    sent = following.request
    assert (sent.method, sent.headers, sent.body) == (first.method, first.headers, first.body)
    assert sent.url != URL


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://h/x", "https://h/x?p%26=b%2F"),
        ("https://h/x?a=1", "https://h/x?a=1&p%26=b%2F"),
        ("https://h/x?p%26=a", "https://h/x?p%26=b%2F"),
        ("https://h/x?a=1&p%26=a", "https://h/x?a=1&p%26=b%2F"),
        ("https://h/x?a=1&p%26", "https://h/x?a=1&p%26&p%26=b%2F"),
        ("https://h/x?a=1&xp%26=a", "https://h/x?a=1&xp%26=a&p%26=b%2F"),
    ],
)
def test_a_parameter_at_the_end_of_an_address_is_replaced(url: str, result: str) -> None:
    assert set_last_param(url, "p&", "b/") == result


def test_params_are_escaped_and_go_behind_those_that_are_there() -> None:
    assert add_params(URL, [("a b", "c&d=ü+")]) == f"{URL}&a%20b=c%26d%3D%C3%BC%2B"
    assert add_params("https://h/x", [("a", "")]) == "https://h/x?a="


class TestCursor:
    @pytest.mark.parametrize(
        ("token", "sent"),
        [
            (text("abc"), "abc"),
            (text("a/b+c= &"), "a%2Fb%2Bc%3D%20%26"),
            (text("0"), "0"),
            (text("false"), "false"),
            (number("17"), "17"),
            (number("0"), "0"),
            (number("1.50"), "1.50"),
            (number("2.9E5"), "2.9E5"),
            (number("3.1415926535e+12"), "3.1415926535e%2B12"),
            (number("9" * 40), "9" * 40),
        ],
    )
    def test_a_token_is_sent_back_character_by_character(self, token: Value, sent: str) -> None:
        following = _next(_build(cursor={"cursorPath": "next"}), token)
        assert following is not None
        assert following.request.url == f"{URL}&cursor={sent}"

    @pytest.mark.parametrize("token", [MISSING, NULL, EMPTY, FALSE], ids=repr)
    def test_no_token_is_the_end(self, token: Value) -> None:
        assert _next(_build(cursor={"cursorPath": "next"}), token) is None

    def test_a_token_replaces_the_one_before_and_the_first_is_the_streams_own(self) -> None:
        cursor = _build(cursor={"cursorPath": "next", "cursorParam": "after"})
        first = cursor.build_first(_at(f"{URL}&after=%2A"))
        assert first.request.url == f"{URL}&after=%2A"
        second = cursor.find_next(first, _page(text("a")))
        assert second is not None
        third = cursor.find_next(second, _page(text("b")))
        assert third is not None
        assert third.request.url == f"{URL}&after=b"

    @pytest.mark.parametrize(
        ("token", "found"),
        [(TRUE, "true"), (Value("object"), "an object"), (Value("list"), "a list")],
    )
    def test_what_is_no_token_is_said_by_its_kind(self, token: Value, found: str) -> None:
        with pytest.raises(ConfigurationError, match=rf"meta\.more is {found}, which") as it:
            _next(_build(cursor={"cursorPath": "meta.more"}), token)
        assert it.value.reason is Reason.INVALID_RESPONSE


class TestOffset:
    def test_the_streams_own_parameters_are_the_first_values(self) -> None:
        offset = _build(offset={"limit": 50, "initialOffset": 1, "offsetParam": "skip"})
        assert offset.build_first(FIRST).request.url == f"{URL}&limit=50&skip=1"
        first = offset.build_first(_at(f"{URL}&limit=7&skip=3"))
        assert first.request.url == f"{URL}&limit=7&skip=3"
        second = offset.find_next(first, _page(rows=7))
        assert second is not None
        assert second.request.url == f"{URL}&limit=7&skip=10"
        assert isinstance(offset, Foresees)
        fifth = offset.ask_from(second, 4)
        assert fifth is not None
        assert fifth.request.url == f"{URL}&limit=7&skip=7"

    @pytest.mark.parametrize("value", ["-1", "", "x", "1.5", "9" * 30])
    def test_a_parameter_that_cannot_be_counted_with_is_refused(self, value: str) -> None:
        with pytest.raises(ConfigurationError, match=r"params\.offset must be a whole number"):
            _build(offset={"limit": 50}).build_first(_at(f"{URL}&offset={value}"))

    @pytest.mark.parametrize("rows", [1, 49, 50, 51])
    def test_the_offset_grows_by_the_rows_received(self, rows: int) -> None:
        offset = _build(offset={"limit": 50})
        first = offset.build_first(FIRST)
        second = offset.find_next(first, _page(rows=rows))
        assert second is not None
        assert second.request.url == f"{URL}&limit=50&offset={rows}"

    def test_an_empty_page_is_the_end(self) -> None:
        offset = _build(offset={"limit": 50})
        assert offset.find_next(offset.build_first(FIRST), _page(rows=0)) is None

    @pytest.mark.parametrize(
        ("total", "ends"),
        [
            (number(17), True),
            (text("17"), True),
            (number("1.7e1"), True),
            (number(18), False),
            (number(16), False),
            (number(7), False),
            (number(0), False),
            (NULL, False),
            (MISSING, False),
            (text("many"), False),
            (TRUE, False),
        ],
        ids=repr,
    )
    def test_a_total_ends_the_walk_behind_a_smaller_page_where_exactly_so_many_came(
        self, total: Value, ends: bool
    ) -> None:
        offset = _build(offset={"limit": 50, "totalPath": "total"})
        second = offset.find_next(offset.build_first(FIRST), _page(number(30), rows=10))
        assert second is not None
        assert (offset.find_next(second, _page(total, rows=7)) is None) is ends

    @pytest.mark.parametrize("rows", [3, 50])
    def test_a_total_never_ends_the_walk_at_the_first_page_or_a_full_one(self, rows: int) -> None:
        offset = _build(offset={"limit": 50, "totalPath": "total", "initialOffset": 1})
        second = offset.find_next(offset.build_first(FIRST), _page(number(rows), rows=rows))
        assert second is not None
        assert second.counted is not None
        assert second.counted.received == rows
        assert offset.find_next(second, _page(number(2 * rows), rows=rows)) is not None

    @pytest.mark.parametrize(
        ("total", "is_fault"),
        [(number(11), True), (MISSING, True), (number(10), False), (number(0), False)],
        ids=repr,
    )
    def test_an_empty_page_before_the_total_is_a_fault(self, total: Value, is_fault: bool) -> None:
        offset = _build(offset={"limit": 50, "totalPath": "total"})
        second = offset.find_next(offset.build_first(FIRST), _page(number(30), rows=10))
        assert second is not None
        fault = offset.find_fault(second, _page(total, rows=0))
        assert (fault is not None) is is_fault
        assert offset.find_fault(second, _page(total, rows=1)) is None

    def test_a_guess_is_what_a_full_page_would_lead_to(self) -> None:
        offset = _build(offset={"limit": 10, "totalPath": "total"})
        assert isinstance(offset, Foresees)
        first = offset.build_first(FIRST)
        guess = offset.guess_next(first, _page(number(100), rows=10))
        following = offset.find_next(first, _page(number(100), rows=10))
        assert guess is not None
        assert following is not None
        assert guess.request == following.request
        assert offset.guess_next(first, _page(number(10), rows=10)) is None


class TestNextUrl:
    @pytest.mark.parametrize(
        ("link", "url"),
        [
            ("https://h.example/v2/orders?page=2", "https://h.example/v2/orders?page=2"),
            ("?page=2", "https://h.example/v2/orders?page=2"),
            ("/v3/orders", "https://h.example/v3/orders"),
            ("more", "https://h.example/v2/more"),
        ],
    )
    def test_an_address_is_taken_whole(self, link: str, url: str) -> None:
        assert _next(_build(nextUrl={"nextUrlPath": "next"}), text(link)) == PageRequest(_at(url))

    @given(
        base=st.from_regex(
            r"https://h\.example(/[a-z.]{0,3}){0,3}(\?a=[0-9/]{1,2})?", fullmatch=True
        ),
        link=st.from_regex(
            r"(https?:)?(//[a-zA-Z.:\[\]]{0,4})?(/|[a-z.~%;:]{0,3}|/[a-z.~%;:]{0,3}){0,4}"
            r"(\?[a-z=&/.?:]{0,5})?(#[a-z]?)?",
            fullmatch=True,
        ),
    )
    @example(base="https://h.example?a=0", link="/a")
    def test_an_address_is_joined_as_the_standard_says(self, base: str, link: str) -> None:
        try:
            expected = urljoin(base, link)
        except ValueError:
            with pytest.raises(ValueError, match=r"."):
                join_address(base, link)
        else:
            assert join_address(base, link) == expected

    def test_a_relative_address_starts_where_the_answer_came_from(self) -> None:
        paginator = _build(nextUrl={"nextUrlPath": "next"})
        page = PageResponse((text("?page=2"),), 1, url="https://h.example/v9/deep")
        following = paginator.find_next(paginator.build_first(FIRST), page)
        assert following == PageRequest(_at("https://h.example/v9/deep?page=2"))

    @pytest.mark.parametrize("link", [MISSING, NULL, EMPTY, FALSE], ids=repr)
    def test_no_address_is_the_end(self, link: Value) -> None:
        assert _next(_build(nextUrl={"nextUrlPath": "next"}), link) is None

    @pytest.mark.parametrize(
        "link", [number(17), TRUE, Value("object"), Value("list"), text("https://[::1/")], ids=repr
    )
    def test_what_is_no_address_is_said(self, link: Value) -> None:
        with pytest.raises(ConfigurationError, match="nextUrlPath next") as caught:
            _next(_build(nextUrl={"nextUrlPath": "next"}), link)
        assert caught.value.reason is Reason.INVALID_RESPONSE
