"""Pages of JSON become Arrow batches: the only importer of the native decoder.

What is wrong with a page becomes a remedy here: a body that broke off is worth another request, one
that was never JSON needs a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import external_data_decoder
import pyarrow as pa
from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.records.paths import FieldPath, format_path, parse_path

Scalar = str | int | float | bool | None
Body = bytes


@dataclass(frozen=True)
class Envelope:
    """What a page said beside its rows."""

    rows: int
    """Rows of this page."""
    values: tuple[Scalar, ...]
    """The values at the envelope's paths, in their order.

    None where missing or null; nested ones as JSON text.
    """


class RecordDecoder:
    """Gathers the rows of a run's pages as columns. Not for two threads at once."""

    def __init__(
        self,
        *,
        records_path: str | None = None,
        envelope: Sequence[str] = (),
        extract: Sequence[str] = (),
        structs: bool = False,
    ) -> None:
        """`records_path` leads to the rows in a body, `envelope` to values beside them.

        Without a records path the body is the rows. `extract` leads to nested values of a row that
        become columns, named `a.b`. With `structs` objects and lists in a row become structs and
        lists, where all values of a column in the run are alike; else they are JSON text. Raises
        ConfigurationError(InvalidSpec) where a path cannot be followed.
        """
        self._path = _parse(records_path or "")
        self._decoder = external_data_decoder.Decoder(
            records_path=list(self._path),
            envelope=[list(_parse(path)) for path in envelope],
            extract=[list(_parse(path)) for path in extract],
            structs=structs,
        )

    @property
    def rows(self) -> int:
        """Rows since the last flush."""
        return self._decoder.rows

    @property
    def bytes(self) -> int:
        """Bytes of the bodies since the last flush."""
        return self._decoder.bytes

    def push(self, page: Body) -> Envelope:
        """Takes a body whole, or raises RunError and is as it was before.

        The same page may be fetched and pushed again then.
        ConfigurationError: InvalidResponse, RecordsPathNotFound, InvalidRecords, LimitExceeded;
        RetryableError: SourceUnavailable, where the body begins as JSON and does not go on so.
        """
        try:
            rows, values = self._decoder.push(page)
        except external_data_decoder.DecodeError as error:
            raise _remedy(error, page, self._path) from error
        return Envelope(rows, tuple(values))

    def flush(self) -> pa.RecordBatch:
        """All rows since the last flush, with every column of the run so far.

        Columns stand in the order in which they first appeared. One that held only nulls in the
        whole run has type null; types widen from batch to batch, never narrow.
        """
        return pa.record_batch(self._decoder.flush())


def _parse(path: str) -> FieldPath:
    try:
        return parse_path(path)
    except ValueError as error:
        raise ConfigurationError(Reason.INVALID_SPEC, str(error)) from error


def _remedy(
    error: external_data_decoder.DecodeError, page: bytes, records_path: FieldPath
) -> RunError:
    detail = error.detail
    match error.kind:
        case "path_not_found":
            message = f"recordsPath {format_path(records_path)} leads nowhere: {detail}"
            return ConfigurationError(Reason.RECORDS_PATH_NOT_FOUND, message)
        case "not_objects":
            message = f"the rows at {format_path(records_path)} are not JSON objects: {detail}"
            return ConfigurationError(Reason.INVALID_RECORDS, message)
        case "too_many_columns":
            return ConfigurationError(Reason.INVALID_RECORDS, detail)
        case "too_deep":
            return ConfigurationError(
                Reason.INVALID_RESPONSE, f"the response is nested too deep: {detail}"
            )
        case "too_large":
            return ConfigurationError(Reason.LIMIT_EXCEEDED, f"{detail}; ask for smaller pages")
    return _remedy_for_text(detail, page)


def _remedy_for_text(detail: str, page: bytes) -> RunError:
    begin = page.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    if begin in {b"{", b"["}:
        message = f"the response begins as JSON and does not go on so: {detail}"
        return RetryableError(Reason.SOURCE_UNAVAILABLE, message)
    kind = "looks like HTML or XML" if begin == b"<" else "does not begin like JSON"
    return ConfigurationError(Reason.INVALID_RESPONSE, f"the response is not JSON, it {kind}")
