"""What a status means, and how long to wait."""

import pytest
from external_data_operator.api.conditions import Reason

from sync_runner.transport.failures import AnswerError, StatusError
from sync_runner.transport.messages import Response
from sync_runner.transport.retry import find_asked_wait_s, own_wait_s, raise_for_status

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def _raise(status: int, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raise_for_status(Response(status, named, b"secret"), now=NOW)


@pytest.mark.parametrize("status", [200, 201, 203, 204, 218])
def test_a_2xx_is_good(status: int) -> None:
    _raise(status)


@pytest.mark.parametrize("status", [202, 205, 206, 207])
def test_a_2xx_that_brings_no_whole_answer_is_asked_again(status: int) -> None:
    with pytest.raises(StatusError, match="not a whole response") as caught:
        _raise(status)
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.parametrize("status", [408, 425, 500, 501, 502, 503, 504, 599])
def test_a_broken_server_is_asked_again(status: int) -> None:
    with pytest.raises(StatusError) as caught:
        _raise(status)
    assert caught.value.reason is Reason.SOURCE_UNAVAILABLE


@pytest.mark.parametrize(
    "headers",
    [{"retry_after": "1"}, {"x_ratelimit_remaining": "0"}, {"ratelimit_remaining": "0"}],
    ids=str,
)
def test_a_403_that_speaks_of_a_rate_limit_is_one(headers: dict[str, str]) -> None:
    with pytest.raises(StatusError) as caught:
        _raise(403, **headers)
    assert caught.value.reason is Reason.RATE_LIMITED


@pytest.mark.parametrize("status", [401, 403])
def test_denied_credentials_need_a_person(status: int) -> None:
    with pytest.raises(AnswerError, match=f"^The source answered {status}.$") as caught:
        _raise(status)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED


@pytest.mark.parametrize("status", [300, 304, 400, 404, 405, 407, 410, 422])
def test_any_other_refusal_needs_a_person(status: int) -> None:
    with pytest.raises(AnswerError) as caught:
        _raise(status)
    assert caught.value.reason is Reason.REQUEST_REJECTED
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "-5"}, 1),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 1),
        ({"retry-after": "1700000090"}, 90),
        ({"retry-after": "1700000090500"}, 90.5),
        ({"retry-after": "9000"}, 9000),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "ratelimit-reset": "9"}, 60),
        ({"ratelimit-reset": "61000"}, 300),
        ({"x-ratelimit-reset": "1700007200"}, 7200),
        ({"ratelimit-reset": "45"}, 45),
        ({"x-ratelimit-reset": "1700000030"}, 30),
        ({"retry-after": "7", "x-ratelimit-reset": "1700000030"}, 7),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Tue, 99 Nov 2023 22:14:20 GMT"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_each_form_of_asking_to_wait_becomes_seconds(
    headers: dict[str, str], wait_s: float | None
) -> None:
    assert find_asked_wait_s(headers, now=NOW, limited=True) == wait_s


def test_a_date_is_held_against_the_clock_of_the_server() -> None:
    headers = {
        "date": "Tue, 14 Nov 2023 23:13:20 GMT",
        "retry-after": "Tue, 14 Nov 2023 23:13:50 GMT",
    }
    assert find_asked_wait_s(headers, now=NOW, limited=True) == 30


def test_the_reset_of_a_rate_limit_says_nothing_about_a_broken_server() -> None:
    assert find_asked_wait_s({"x-ratelimit-reset": "1700000030"}, now=NOW, limited=False) is None


def test_own_waits_double_and_are_spread_and_capped() -> None:
    assert [own_wait_s(attempt, 0) for attempt in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert own_wait_s(1, 1) == 1.5
    assert own_wait_s(20, 1) == 60
