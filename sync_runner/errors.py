"""Why a run ends, by remedy.

RunError
├── RetryableError       time mends it: the Job tries again, then the schedule does
│   └── ExpiredTokenError    what an earlier attempt read cannot be continued: begin anew
├── ConfigurationError   a person must act: the schedule stops until the spec or a Secret changes
│   └── ResponseError        a response is not what the spec describes; the walk decides whose fault
└── SupersededError      another run published first: nothing is wrong, nothing was changed

Anything else that is raised is a bug of ours. Messages name ids, counts, field names and HTTP
status; never bodies, headers, query strings or credentials.
"""

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import ExitCode, Failure, FailureClass


class RunError(Exception):
    """Ends a run with a reason and a sentence for people."""

    failure_class = FailureClass.RETRYABLE
    exit_code = ExitCode.RETRYABLE

    def __init__(self, reason: Reason, message: str) -> None:
        """`message` is shown in status and events."""
        super().__init__(message)
        self.reason = reason

    def failure(self) -> Failure:
        """The report's form of this error."""
        return Failure(failure_class=self.failure_class, reason=self.reason, message=str(self))


class RetryableError(RunError):
    """Time mends it."""


class ConfigurationError(RunError):
    """A person must act."""

    failure_class = FailureClass.CONFIGURATION
    exit_code = ExitCode.CONFIGURATION


class ResponseError(ConfigurationError):
    """A response is not what the spec describes."""

    def __init__(self, reason: Reason, message: str, *, lasting: bool = False) -> None:
        """`lasting`: the text is JSON with a fault inside, which another request usually brings
        again."""
        super().__init__(reason, message)
        self.lasting = lasting


class SupersededError(RetryableError):
    """Another run published first; this one stops and changed nothing."""

    def __init__(self, message: str) -> None:
        """`message` names the version that was found."""
        super().__init__(Reason.SUPERSEDED, message)


class ExpiredTokenError(RetryableError):
    """The source no longer takes the token of its next page; the walk has to begin anew."""

    def __init__(self, message: str) -> None:
        """`message` names the request and the status."""
        super().__init__(Reason.SOURCE_UNAVAILABLE, message)
