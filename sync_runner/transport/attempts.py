"""Decides how often a request is sent, and whose fault it is when no attempt succeeds. Pure.

If the first request of a run is refused, the spec or a credential is wrong: a person must act, and
nothing is retried. The same response to a later request, from a source that accepted earlier ones
with the same credentials and parameters, is a fault of the source that may pass (a login page, a
gateway's 403): it is retried, and ends the run with an error that is retried.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from external_data_operator.api.conditions import RETRIED_SOMETIMES, Reason

from sync_runner.errors import RunError
from sync_runner.network.failures import AttemptError
from sync_runner.transport.failures import AnswerError, UnsettledError

ATTEMPTS = 5
ATTEMPTS_LASTING = 2
"""Of a request whose response is JSON with a fault inside: a server that stopped to print its own
error message usually does not do so twice."""
ASKED_WAIT_S_MAX = 1_200.0
"""Limit of all waits together that the source requests before one request succeeds."""


@dataclass(frozen=True)
class Context:
    """Facts about a request that decide about its retries and its messages."""

    where: str = ""
    """The page, for messages."""
    accepted: bool = False
    """Whether the source accepted earlier requests of the run, which had the same credentials and
    parameters."""
    attempts: Mapping[int, int] = field(default_factory=dict)
    """Attempts for statuses that may have another meaning than a fault (the end of the rows, an
    expired token)."""


def count_attempts(failure: AttemptError, context: Context) -> int:
    """The number of attempts for a request with this failure."""
    if failure.final:
        return 1
    if not isinstance(failure, AnswerError):
        return ATTEMPTS
    # The spec, a credential or the address is wrong, and the response would be the same.
    if not context.accepted:
        return 1
    return context.attempts.get(failure.status, ATTEMPTS_LASTING if failure.lasting else ATTEMPTS)


def conclude_attempt(failure: AttemptError, message: str, context: Context) -> RunError:
    """The error of the run when no attempt is left."""
    if not isinstance(failure, AnswerError) or not context.accepted or failure.lasting:
        return failure.run_error(message)
    is_known = failure.reason in RETRIED_SOMETIMES
    reason = failure.reason if is_known else Reason.SOURCE_UNAVAILABLE
    message = f"{message} The source accepted earlier requests of this run."
    return UnsettledError(message, reason=reason, status=failure.status)


def describe_wait(wait_s: float, now: float) -> str:
    """The time at which the source accepts requests again, for a run that does not wait."""
    until = datetime.fromtimestamp(now + wait_s, UTC)
    return (
        f"The source asks to wait until {until:%Y-%m-%dT%H:%M:%SZ} ({wait_s:.0f} s), which is "
        "longer than a run waits."
    )
