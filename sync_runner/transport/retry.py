"""The meaning of a response's status for the run, and the wait before the next attempt. Pure.

`Retry-After` contains seconds, an HTTP date or an epoch, and the reset headers of rate limits
seconds or an epoch; all become seconds. A date is compared with the server's own `Date`, since its
clock may differ from ours. A 403 with the headers of an exhausted rate limit counts as a 429.
"""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from external_data_operator.api.conditions import Reason

from sync_runner.transport.failures import AnswerError, StatusError
from sync_runner.transport.messages import Response

_RESET_WAIT_S_MAX = 300.0
"""Of a reset header with a small number: some servers send milliseconds."""
_WAIT_S_MAX = 366 * 86_400.0
OWN_WAIT_S_MAX = 60.0
_RETRYABLE_4XX = frozenset({408, 425, 429})
_RESET_HEADERS = (
    "ratelimit-reset",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "x-sentry-rate-limit-reset",
)
_REMAINING_HEADERS = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_EPOCH_S_MIN = 1_000_000_000
_EPOCH_MS_MIN = 1_000_000_000_000


def raise_for_status(response: Response, *, now: float) -> None:
    """Returns for a good response. Raises StatusError if another attempt may succeed, else
    AnswerError."""
    if response.is_good:
        return
    status = response.status
    is_unfinished = 200 <= status < 300
    if status >= 500 or status in _RETRYABLE_4XX or is_unfinished or _is_rate_limit(response):
        limited = status == 429 or (status < 500 and _is_rate_limit(response))
        raise StatusError(
            f"The source answered {status}, which is not a whole response."
            if is_unfinished
            else f"The source answered {status}.",
            reason=Reason.RATE_LIMITED if limited else Reason.SOURCE_UNAVAILABLE,
            wait_s=find_asked_wait_s(response.headers, now=now, limited=limited),
        )
    denied = status in (401, 403)
    reason = Reason.CREDENTIALS_REJECTED if denied else Reason.REQUEST_REJECTED
    raise AnswerError(f"The source answered {status}.", reason=reason, status=status)


def _is_rate_limit(response: Response) -> bool:
    if response.status != 403:
        return False
    headers = response.headers
    return "retry-after" in headers or any(headers.get(h) == "0" for h in _REMAINING_HEADERS)


def find_asked_wait_s(headers: Mapping[str, str], *, now: float, limited: bool) -> float | None:
    """Seconds that the server asks to wait; the reset headers are used only for an exhausted rate
    limit."""
    names = ("retry-after", *(_RESET_HEADERS if limited else ()))
    server_now = _find_date(headers.get("date", ""))
    for name in names:
        text = headers.get(name, "")
        wait_s = _find_wait_s(text, now=now, server_now=server_now)
        if wait_s is not None:
            is_bare = name in _RESET_HEADERS and _is_below_epoch(text)
            return min(max(wait_s, 1.0), _RESET_WAIT_S_MAX if is_bare else _WAIT_S_MAX)
    return None


def _is_below_epoch(text: str) -> bool:
    try:
        return float(text) < _EPOCH_S_MIN
    except ValueError:
        return False


def _find_wait_s(text: str, *, now: float, server_now: float | None) -> float | None:
    try:
        number = float(text)
    except ValueError:
        date = _find_date(text)
        return None if date is None else date - (now if server_now is None else server_now)
    if not math.isfinite(number):
        return None
    if number >= _EPOCH_MS_MIN:
        return number / 1000 - now
    return number - now if number >= _EPOCH_S_MIN else number


def _find_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def own_wait_s(attempt: int, jitter: float) -> float:
    """1, 2, 4, 8 … seconds after the first, second, … attempt, with `jitter` (0 to 1), capped."""
    return min(2.0 ** (attempt - 1) * (1 + jitter / 2), OWN_WAIT_S_MAX)
