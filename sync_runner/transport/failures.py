"""Errors of one attempt at a request. Whether the attempt is repeated is decided in `attempts`.

AttemptError         (`network/failures.py`)
├── ConnectError     the connection failed (there too)
├── BrokenError      the connection was made, but the response is not whole
│   └── TornBodyError    the response is whole by its framing, but its body is not
├── NoRowsError      the response is whole, but contains no rows and no empty list
├── AnswerError      the response is whole, but is not one for this request
│   └── EncodingError    the body has an encoding that was not requested
├── TooLargeError    the body exceeds the limit
└── StatusError      the status asks for another attempt

Messages are sentences that follow "GET /orders at api.shop.example: ".
"""

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.network.failures import AttemptError

_REFUSALS = {
    401: " Set or correct the credentials.",
    403: " Correct the credentials, or the rights that the source gives them.",
}
_REFUSED = " Correct the path, the parameters or the body of the request."


class BrokenError(AttemptError):
    """The connection or the response ended early, or did not arrive in time."""


class ConnectionLostError(BrokenError):
    """The connection was closed before the first byte of a response."""


class TornBodyError(BrokenError):
    """The body is not whole."""


class NoRowsError(AttemptError):
    """The body is whole, but shows neither rows nor that there are none."""

    def __init__(self, error: RunError) -> None:
        """`error` describes the body."""
        super().__init__(str(error))
        self.reason = error.reason


class AnswerError(AttemptError):
    """The response is whole, but is not one for this request: a refusal, a redirect to a login, a
    page that is not JSON. Whether the spec or the source is at fault is decided in `attempts`."""

    def __init__(
        self, message: str, *, reason: Reason, status: int = 0, lasting: bool = False
    ) -> None:
        """`status` is that of a refusal, else 0; `lasting`: another request usually has the same
        result."""
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.lasting = lasting

    def run_error(self, message: str) -> RunError:
        """A person must correct the spec or the credentials."""
        advice = _REFUSALS.get(self.status, _REFUSED) if self.status else ""
        return RejectedError(f"{message}{advice}", reason=self.reason, status=self.status)


class EncodingError(AnswerError):
    """The body has an encoding that was not requested."""

    def __init__(self, name: str = "") -> None:
        """`name` is one of the known encodings; an unknown name is not repeated."""
        what = f"the encoding {name}, which" if name else "an encoding that"
        message = f"The response has {what} was not requested."
        super().__init__(message, reason=Reason.INVALID_RESPONSE)


class TooLargeError(AttemptError):
    """The body is larger than one page may be."""

    def __init__(self, bytes_max: int) -> None:
        """`bytes_max` is the limit."""
        super().__init__(f"The page is larger than {bytes_max >> 20} MiB.", final=True)

    def run_error(self, message: str) -> RunError:
        """A person must request smaller pages, or give the run more memory."""
        advice = "Request smaller pages, or raise runtime.resources.limits.memory."
        return ConfigurationError(Reason.LIMIT_EXCEEDED, f"{message} {advice}")


class StatusError(AttemptError):
    """The status asks for another attempt."""

    def __init__(self, message: str, *, reason: Reason, wait_s: float | None) -> None:
        """`reason`: whether the source limits the rate or is unavailable. `wait_s`: seconds that
        it asked to wait."""
        super().__init__(message, wait_s=wait_s)
        self.reason = reason


class RejectedError(ConfigurationError):
    """The source refused the request, or its response is of another kind. Retries do not help."""

    def __init__(self, message: str, *, reason: Reason, status: int) -> None:
        """`status` is the response's; 0 if the status is not at fault."""
        super().__init__(reason, message)
        self.status = status


class UnsettledError(RetryableError):
    """The same from a source that accepted earlier requests of the run: a later run may succeed."""

    def __init__(self, message: str, *, reason: Reason, status: int) -> None:
        """`status` is the response's; 0 if the status is not at fault."""
        super().__init__(reason, message)
        self.status = status
