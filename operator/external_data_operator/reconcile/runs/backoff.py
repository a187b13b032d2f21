"""How long to wait before looking or trying again: doubling, and never without an end."""

from datetime import datetime, timedelta

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Failure, FailureClass

_TRIES = {
    FailureClass.RETRYABLE: (timedelta(seconds=15), timedelta(hours=1)),
    FailureClass.BUG: (timedelta(minutes=5), timedelta(hours=6)),
    FailureClass.CONFIGURATION: (timedelta(minutes=10), timedelta(hours=6)),
}
"""Of a check. Failures for a person are retried slowly: the cause may have been corrected at the
source, where the operator cannot see it."""
_RUN = (timedelta(minutes=5), timedelta(hours=6))
WAIT_MIN_S, WAIT_MAX_S = 5.0, 60.0


def check_delay(failure: Failure, attempt: int) -> timedelta:
    """From the end of a failed check to the next one; a host that is away may soon be back."""
    away = failure.reason is Reason.UNREACHABLE
    class_ = FailureClass.RETRYABLE if away else failure.failure_class
    return _doubled(*_TRIES[class_], attempt)


def run_delay(failures: int) -> timedelta:
    """From the end of a failed run to the next one outside of the schedule."""
    return _doubled(*_RUN, failures)


def wait_s(since: datetime | None, now: datetime) -> float:
    """Seconds until to look again for something missing since then: 5 growing to 60."""
    waited = 0.0 if since is None else (now - since) / timedelta(seconds=1)
    return min(max(waited / 2, WAIT_MIN_S), WAIT_MAX_S)


def _doubled(first: timedelta, last: timedelta, attempt: int) -> timedelta:
    doublings = min(max(attempt - 1, 0), 16)
    return min(first * (1 << doublings), last)
