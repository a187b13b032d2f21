"""Errors of one attempt to reach a host. Whether the attempt is repeated is decided later.

The base class and the errors of connections are here; the errors of responses belong to the
protocol (`transport/failures.py` for HTTP).
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError, RunError


class AttemptError(Exception):
    """One attempt failed; another may succeed."""

    reason = Reason.SOURCE_UNAVAILABLE

    def __init__(self, message: str, *, wait_s: float | None = None, final: bool = False) -> None:
        """`message` is one or more whole sentences. `wait_s`: seconds that the server asked to
        wait; `final`: no further attempt of this run can succeed."""
        super().__init__(message)
        self.wait_s = wait_s
        self.final = final

    def run_error(self, message: str) -> RunError:
        """The error of the run when no attempt is left."""
        return RetryableError(self.reason, message)


class ConnectError(AttemptError):
    """No connection was made."""

    reason = Reason.UNREACHABLE
