"""What can go wrong with one attempt to reach a host, before
it is known whether another one mends it.

The base of such errors is here, and what a connection can end with; what an answer can end with is
the protocol's own (`transport/failures.py` for HTTP).
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import RetryableError, RunError


class AttemptError(Exception):
    """One attempt failed; another may not."""

    reason = Reason.SOURCE_UNAVAILABLE

    def __init__(self, message: str, *, wait_s: float | None = None, final: bool = False) -> None:
        """`wait_s` is how long the server asked to wait; `final` means that no attempt of this run
        will mend it."""
        super().__init__(message)
        self.wait_s = wait_s
        self.final = final

    def run_error(self, message: str) -> RunError:
        """What the run ends with when no attempt is left."""
        return RetryableError(self.reason, message)


class ConnectError(AttemptError):
    """No connection was made."""

    reason = Reason.UNREACHABLE
