"""What can go wrong with one attempt, before it is known whether another one mends it.

AttemptError         (`network/failures.py`)
├── ConnectError     no connection was made (there too)
├── BrokenError      a connection was made, but no whole answer came
│   └── TornBodyError    an answer came whole by its framing, but its body is not whole
├── NoRowsError      an answer came whole, but holds no rows and no empty list
├── AnswerError      a whole answer came, and is not what was asked for
│   └── EncodingError    the body is compressed in a way that was not asked for
├── TooLargeError    the body passes the bound
└── StatusError      an answer came whose status asks for another attempt

Messages are fragments that follow "GET /orders at api.shop.example: ".
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.network.failures import AttemptError


class BrokenError(AttemptError):
    """The connection or the answer broke off, or nothing came in time."""


class ConnectionLostError(BrokenError):
    """The connection ended before the first byte of an answer."""


class TornBodyError(BrokenError):
    """The body is not whole."""


class NoRowsError(AttemptError):
    """The body is whole, and does not prove what rows there are: nothing, or something else."""

    def __init__(self, error: RunError) -> None:
        """`error` says what the body is."""
        super().__init__(str(error))
        self.reason = error.reason


class AnswerError(AttemptError):
    """A whole answer came, and is not what was asked for: a refusal, a redirect to a login, a page
    that is not JSON. Whether the spec or the source is at fault is decided in `attempts`."""

    def __init__(
        self, message: str, *, reason: Reason, status: int = 0, lasting: bool = False
    ) -> None:
        """`status` is that of a refusal; `lasting` means that another request usually brings the
        same."""
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.lasting = lasting

    def run_error(self, message: str) -> RunError:
        """A person must correct the spec or the credentials."""
        return RejectedError(message, reason=self.reason, status=self.status)


class EncodingError(AnswerError):
    """The body is compressed in a way that was not asked for."""

    def __init__(self, name: str = "") -> None:
        """`name` is one of the known encodings; a name that the source made up is not repeated."""
        what = f"the encoding {name}, which" if name else "an encoding that"
        super().__init__(f"answered in {what} was not asked for", reason=Reason.INVALID_RESPONSE)


class TooLargeError(AttemptError):
    """The body is larger than one page may be."""

    def __init__(self, bytes_max: int) -> None:
        """`bytes_max` is the bound."""
        super().__init__(f"answered with more than {bytes_max >> 20} MiB in one page", final=True)

    def run_error(self, message: str) -> RunError:
        """A person must ask for smaller pages, or give the run more memory."""
        advice = "ask for smaller pages, or raise runtime.resources.limits.memory"
        return ConfigurationError(Reason.LIMIT_EXCEEDED, f"{message}; {advice}")


class StatusError(AttemptError):
    """The status asks for another attempt."""

    def __init__(self, message: str, *, reason: Reason, wait_s: float | None) -> None:
        """`reason` tells a request to slow down from a server that is broken."""
        super().__init__(message, wait_s=wait_s)
        self.reason = reason


class RejectedError(ConfigurationError):
    """The source's answer is not what was asked for, and another attempt does not change that."""

    def __init__(self, message: str, *, reason: Reason, status: int) -> None:
        """`status` is the answer's; 0 where not the status is at fault."""
        super().__init__(reason, message)
        self.status = status


class UnsettledError(RetryableError):
    """The same from a source that accepted earlier requests of the run: a later run may succeed."""

    def __init__(self, message: str, *, reason: Reason, status: int) -> None:
        """`status` is the answer's; 0 where not the status is at fault."""
        super().__init__(reason, message)
        self.status = status
