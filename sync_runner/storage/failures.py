"""What an object store's error means: who can mend it, and a sentence that says so.

The client's own texts hold addresses, headers and bodies of answers. Only the status, the store's
error code and the kind of the connection's failure are taken from them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from external_data_operator.api.conditions import Reason
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from sync_runner.errors import ConfigurationError, RetryableError, RunError

FAILURES = (BaseError, OSError, ValueError, NotImplementedError)
"""Everything that the client raises."""

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_DISK_FULL = re.compile(r"os error (28|122)\b|No space left|Disk quota")
_NO_CREDENTIALS = re.compile(r"169\.254\.(169\.254|170\.)|[Cc]redential")
_WRONG_REGION = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"}
)
_NO_BUCKET = frozenset({"NoSuchBucket", "InvalidBucketName"})
_FORBIDDEN = frozenset({"401", "403"})
_KINDS = (
    ("refused", "the connection was refused"),
    ("dns", "its name does not resolve"),
    ("timed out", "it took too long to answer"),
    ("TimedOut", "it took too long to answer"),
    ("reset", "the connection was reset"),
    ("certificate", "its TLS certificate is not trusted"),
)


@contextmanager
def mapped(place: str, doing: str) -> Iterator[None]:
    """Turns the client's errors into a RunError; `place` is a bucket or folder, `doing` an
    infinitive.
    """
    try:
        yield
    except FAILURES as error:
        raise explain(error, place, doing) from error


def explain(error: Exception, place: str, doing: str) -> RunError:
    """The run's end that an error of the store is."""
    text = str(error)
    status = next(iter(_STATUS.findall(text)), "")
    code = next(iter(_CODE.findall(text)), "")
    said = " ".join(word for word in (status, code) if word)
    if _DISK_FULL.search(text):
        return RetryableError(Reason.DISK_FULL, f"{place}: no space is left to {doing}")
    if code in _NO_BUCKET:
        return ConfigurationError(Reason.INVALID_DESTINATION, f"{place} does not exist")
    if code in _WRONG_REGION or status == "301":
        message = f"{place} is in another region than the destination says"
        return ConfigurationError(Reason.INVALID_DESTINATION, message)
    if _is_forbidden(error, status):
        message = f"{place} refused to {doing} ({said or 'permission denied'})"
        return ConfigurationError(Reason.DESTINATION_FORBIDDEN, message)
    if not status and _NO_CREDENTIALS.search(text):
        message = (
            f"no credentials for {place}: set credentialsSecretRef, or give the pod an identity"
        )
        return ConfigurationError(Reason.DESTINATION_FORBIDDEN, message)
    why = f"status {said}" if said else _kind(text)
    return RetryableError(Reason.STORAGE_UNAVAILABLE, f"{place} failed to {doing}: {why}")


def _is_forbidden(error: Exception, status: str) -> bool:
    denied = PermissionDeniedError | UnauthenticatedError | PermissionError
    return isinstance(error, denied) or status in _FORBIDDEN


def _kind(text: str) -> str:
    return next((said for mark, said in _KINDS if mark in text), "no usable answer")
