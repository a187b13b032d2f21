"""What an error of the store means to people."""

import pytest
from external_data_operator.api.conditions import Reason
from obstore.exceptions import GenericError, PermissionDeniedError

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.storage.failures import explain

REFUSED = "Error performing PUT http://key:secret@store/x in 1ms - HTTP error: connection refused"
DENIED = "status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code><Key>s3cret</Key>"
NO_BUCKET = "Object at location a not found: status code: 404 Not Found: <Code>NoSuchBucket</Code>"
WRONG_REGION = "status code: 301 Moved: <Code>PermanentRedirect</Code>"
NO_IDENTITY = "error sending request to http://169.254.169.254/latest/api/token"
BROKEN = "status code: 503 Service Unavailable: <Code>SlowDown</Code>"
FULL = "Unable to copy data to file: No space left on device (os error 28)"


@pytest.mark.parametrize(
    ("error", "kind", "reason", "words"),
    [
        (
            GenericError(REFUSED),
            RetryableError,
            Reason.STORAGE_UNAVAILABLE,
            "connection was refused",
        ),
        (GenericError(BROKEN), RetryableError, Reason.STORAGE_UNAVAILABLE, "503 SlowDown"),
        (PermissionDeniedError(DENIED), ConfigurationError, Reason.DESTINATION_FORBIDDEN, "403"),
        (GenericError(DENIED), ConfigurationError, Reason.DESTINATION_FORBIDDEN, "Signature"),
        (
            PermissionError("no"),
            ConfigurationError,
            Reason.DESTINATION_FORBIDDEN,
            "permission denied",
        ),
        (FileNotFoundError(NO_BUCKET), ConfigurationError, Reason.INVALID_DESTINATION, "not exist"),
        (GenericError(WRONG_REGION), ConfigurationError, Reason.INVALID_DESTINATION, "region"),
        (
            GenericError(NO_IDENTITY),
            ConfigurationError,
            Reason.DESTINATION_FORBIDDEN,
            "credentials",
        ),
        (GenericError(FULL), RetryableError, Reason.DISK_FULL, "no space"),
        (OSError(28, "No space left on device"), RetryableError, Reason.DISK_FULL, "no space"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_error_says_who_can_mend_it_and_nothing_of_the_answer(
    error: Exception, kind: type[Exception], reason: Reason, words: str
) -> None:
    explained = explain(error, "bucket lake", "write x")
    assert type(explained) is kind
    assert explained.reason is reason
    assert "bucket lake" in str(explained)
    assert words in str(explained)
    assert "secret" not in str(explained)
    assert "s3cret" not in str(explained)
