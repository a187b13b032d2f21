"""From an error of the object store's client to a RunError: its remedy and its message.

The client's texts contain addresses, headers and bodies of responses. Only the status, the store's
error code and the kind of a connection's failure are taken from them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from external_data_operator.api.conditions import Reason
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from sync_runner.errors import ConfigurationError, RetryableError, RunError

STORE_FAILURES = (BaseError, OSError, ValueError, NotImplementedError)
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
    ("dns", "the host name cannot be resolved"),
    ("timed out", "the store did not respond in time"),
    ("TimedOut", "the store did not respond in time"),
    ("reset", "the connection was reset"),
    ("certificate", "the store's TLS certificate is not trusted"),
)


@contextmanager
def mapped(place: str, doing: str) -> Iterator[None]:
    """Turns the client's errors into a RunError; `place` is a bucket or folder, `doing` an
    infinitive, such as `read x.json`.
    """
    try:
        yield
    except STORE_FAILURES as error:
        raise explain(error, place, doing) from error


def explain(error: Exception, place: str, doing: str) -> RunError:
    """The RunError for an error of the store."""
    text = str(error)
    status = next(iter(_STATUS.findall(text)), "")
    code = next(iter(_CODE.findall(text)), "")
    said = " ".join(word for word in (status, code) if word)
    if _DISK_FULL.search(text):
        message = f"Cannot {doing} in {place}: no space is left. Free space there."
        return RetryableError(Reason.DISK_FULL, message)
    if code in _NO_BUCKET:
        message = f"The {place} does not exist. Create it, or correct the destination."
        return ConfigurationError(Reason.INVALID_DESTINATION, message)
    if code in _WRONG_REGION or status == "301":
        message = f"The {place} is in another region. Correct the region of the destination."
        return ConfigurationError(Reason.INVALID_DESTINATION, message)
    if _is_forbidden(error, status):
        message = (
            f"Cannot {doing} in {place}: {said or 'permission denied'}. Check the credentials and "
            "their permissions."
        )
        return ConfigurationError(Reason.DESTINATION_FORBIDDEN, message)
    if not status and _NO_CREDENTIALS.search(text):
        message = (
            f"No credentials were found for {place}. Set credentialsSecretRef, or give the pod an "
            "identity."
        )
        return ConfigurationError(Reason.DESTINATION_FORBIDDEN, message)
    why = f"status {said}" if said else _kind(text)
    return RetryableError(Reason.STORAGE_UNAVAILABLE, f"Cannot {doing} in {place}: {why}.")


def _is_forbidden(error: Exception, status: str) -> bool:
    denied = PermissionDeniedError | UnauthenticatedError | PermissionError
    return isinstance(error, denied) or status in _FORBIDDEN


def _kind(text: str) -> str:
    return next((said for mark, said in _KINDS if mark in text), "the store did not respond")
