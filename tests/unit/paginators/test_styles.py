"""From a page to the next one, and where each style ends."""

from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import Pagination

from sync_runner.errors import ConfigurationError
from sync_runner.paginators import STYLES, build_paginator
from sync_runner.paginators.page import PageRequest, Paginator, Value, add_params

URL = "https://h.example/v2/orders?status=open"


def _build(**spec: Any) -> Paginator:
    return build_paginator(Pagination.model_validate(spec))


def _next(paginator: Paginator, value: Value, rows: int = 10) -> PageRequest | None:
    return paginator.find_next(paginator.build_first(URL), (value,), rows)


def test_every_style_of_the_api_has_a_paginator() -> None:
    assert set(STYLES) == set(Pagination.model_fields)


def test_a_single_page_has_no_next() -> None:
    single = _build(none={})
    assert single.build_first(URL) == PageRequest(URL)
    assert single.find_next(PageRequest(URL), (), 10) is None


def test_params_are_escaped_and_go_behind_those_that_are_there() -> None:
    assert add_params(URL, [("a b", "c&d=ü+")]) == f"{URL}&a%20b=c%26d%3D%C3%BC%2B"
    assert add_params("https://h/x", [("a", "")]) == "https://h/x?a="


class TestCursor:
    @pytest.mark.parametrize(
        ("token", "sent"),
        [
            ("abc", "abc"),
            ("a/b+c=", "a%2Fb%2Bc%3D"),
            (17, "17"),
            (0, "0"),
            ("0", "0"),
            (1.5, "1.5"),
        ],
    )
    def test_a_token_is_sent_back(self, token: Value, sent: str) -> None:
        following = _next(_build(cursor={"cursorPath": "next"}), token)
        assert following is not None
        assert following.url == f"{URL}&cursor={sent}"

    @pytest.mark.parametrize("token", [None, "", False], ids=repr)
    def test_no_token_is_the_end(self, token: Value) -> None:
        assert _next(_build(cursor={"cursorPath": "next"}), token) is None

    def test_a_token_replaces_the_one_before(self) -> None:
        cursor = _build(cursor={"cursorPath": "next", "cursorParam": "after"})
        first = cursor.build_first(f"{URL}&after=x")
        assert first.url == URL
        second = cursor.find_next(first, ("a",), 1)
        assert second is not None
        third = cursor.find_next(second, ("b",), 1)
        assert third is not None
        assert third.url == f"{URL}&after=b"

    def test_true_is_not_a_token(self) -> None:
        with pytest.raises(ConfigurationError, match=r"meta\.has_more leads to true"):
            _next(_build(cursor={"cursorPath": "meta.has_more"}), value=True)


class TestOffset:
    def test_the_first_request_says_limit_and_offset_once(self) -> None:
        offset = _build(offset={"limit": 50, "initialOffset": 1, "offsetParam": "skip"})
        first = offset.build_first(f"{URL}&limit=7&skip=3")
        assert first.url == f"{URL}&limit=50&skip=1"

    @pytest.mark.parametrize("rows", [1, 49, 50, 51])
    def test_the_offset_grows_by_the_rows_received(self, rows: int) -> None:
        offset = _build(offset={"limit": 50})
        first = offset.build_first(URL)
        second = offset.find_next(first, (), rows)
        assert second is not None
        assert second.url == f"{URL}&limit=50&offset={rows}"

    def test_an_empty_page_is_the_end(self) -> None:
        offset = _build(offset={"limit": 50})
        assert offset.find_next(offset.build_first(URL), (), 0) is None

    @pytest.mark.parametrize(
        ("total", "ends"),
        [
            (10, True),
            ("10", True),
            (10.0, True),
            (11, False),
            (None, False),
            (0, False),
            (-1, False),
            (9, False),
            ("many", False),
            (True, False),
        ],
        ids=repr,
    )
    def test_a_total_ends_the_walk_when_reached_and_believable(
        self, total: Value, ends: bool
    ) -> None:
        offset = _build(offset={"limit": 50, "totalPath": "total"})
        following = offset.find_next(offset.build_first(URL), (total,), 10)
        assert (following is None) is ends

    def test_a_total_does_not_count_the_rows_before_the_first_offset(self) -> None:
        offset = _build(offset={"limit": 10, "totalPath": "total", "initialOffset": 1})
        first = offset.build_first(URL)
        second = offset.find_next(first, (20,), 10)
        assert second is not None
        assert second.skip == 11
        assert offset.find_next(second, (20,), 10) is None

    def test_a_guess_is_what_a_full_page_would_lead_to(self) -> None:
        offset = _build(offset={"limit": 10, "totalPath": "total"})
        first = offset.build_first(URL)
        assert offset.guess_next(first, (100,), 10) == offset.find_next(first, (100,), 10)
        assert offset.guess_next(first, (10,), 10) is None


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
        assert _next(_build(nextUrl={"nextUrlPath": "next"}), link) == PageRequest(url)

    @pytest.mark.parametrize("link", [None, "", False], ids=repr)
    def test_no_address_is_the_end(self, link: Value) -> None:
        assert _next(_build(nextUrl={"nextUrlPath": "next"}), link) is None

    @pytest.mark.parametrize("link", [17, True, "https://[::1/"], ids=repr)
    def test_what_is_no_address_is_said(self, link: Value) -> None:
        with pytest.raises(ConfigurationError, match="nextUrlPath next") as caught:
            _next(_build(nextUrl={"nextUrlPath": "next"}), link)
        assert caught.value.reason is Reason.INVALID_RESPONSE
