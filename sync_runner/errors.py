"""The errors that end a run, by remedy.

RunError
├── RetryableError       a later attempt may succeed: the Job retries, then the schedule does
│   ├── ExpiredTokenError    a page token has expired: read the stream from its beginning
│   └── SupersededError      another run published first: nothing is wrong, nothing was changed
└── ConfigurationError   a person must act: the schedule stops until the spec or a Secret changes
    └── ResponseError        a response differs from the spec; whose fault it is, is decided later

Any other error is a bug. Messages are whole sentences with ids, counts, field names and HTTP
status; never with bodies, headers, query strings or credentials.
"""

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import ExitCode, Failure, FailureClass


class RunError(Exception):
    """Ends a run with a reason and a message for people."""

    failure_class = FailureClass.RETRYABLE
    exit_code = ExitCode.RETRYABLE

    def __init__(self, reason: Reason, message: str) -> None:
        """`message` is shown in the status and in events: what happened, to which object, and what
        to do, in whole sentences."""
        super().__init__(message)
        self.reason = reason

    def failure(self) -> Failure:
        """The report's form of this error."""
        return Failure(failure_class=self.failure_class, reason=self.reason, message=str(self))


class RetryableError(RunError):
    """A later attempt may succeed."""


class ConfigurationError(RunError):
    """A person must act."""

    failure_class = FailureClass.CONFIGURATION
    exit_code = ExitCode.CONFIGURATION


class ResponseError(ConfigurationError):
    """A response differs from the spec."""

    def __init__(self, reason: Reason, message: str, *, lasting: bool = False) -> None:
        """`lasting`: the body is JSON with a fault inside, which usually repeats with another
        request."""
        super().__init__(reason, message)
        self.lasting = lasting


class SupersededError(RetryableError):
    """Another run published first; this one stops and changed nothing."""

    def __init__(self, message: str) -> None:
        """`message` contains the version that was found."""
        super().__init__(Reason.SUPERSEDED, message)


class ExpiredTokenError(RetryableError):
    """The source no longer accepts the token of its next page; the stream has to be read from its
    beginning."""

    def __init__(self, message: str) -> None:
        """`message` contains the request and the status."""
        super().__init__(Reason.SOURCE_UNAVAILABLE, message)
