"""Decodes pages of JSON to Arrow batches; the only importer of the native decoder.

An error of the decoder gets its remedy here: a body that is incomplete, empty or an error instead
of rows is worth another request; one that is not JSON needs a person. Only a list proves the end of
the rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import external_data_decoder
import pyarrow as pa
from external_data_operator.api.conditions import Reason
from external_data_operator.api.paths import FieldPath, format_path, parse_path

from sync_runner.errors import ConfigurationError, ResponseError, RetryableError, RunError
from sync_runner.records.lone import Expected, ObjectVerdict, find_lists, is_error, judge
from sync_runner.records.widen import STRUCTS_KEY, is_json

Body = bytes
_LIMITS = {
    "too_many_columns": (Reason.INVALID_RECORDS, "The rows do not fit into columns: {}."),
    "too_deep": (Reason.INVALID_RESPONSE, "The response is nested too deep: {}."),
}
_KEYS_MAX = 20
_KEY_CHARS_MAX = 64


class Value(NamedTuple):
    """A value outside the rows, as the body spells it."""

    kind: str
    """missing, null, boolean, number, string, object or list."""
    text: str = ""
    """A string's value, or the characters of a number or a boolean."""


MISSING = Value("missing")


class Envelope(NamedTuple):
    """The facts of a page besides its rows."""

    rows: int
    """Rows of this page."""
    values: tuple[Value, ...] = ()
    """The values at the envelope's paths, in their order."""
    digest: int = 0
    """Digest of the rows' text, the same in each process; 0 if there are no rows."""
    repeated: bool = False
    """The rows have the digest that was passed to `push`, and were not added."""
    overlap: int = 0
    """The number of first rows that were the last ones of the page before, if overlaps are
    sought."""


class RecordDecoder:
    """Gathers the rows of a run's pages as columns. Not for two threads at once."""

    def __init__(
        self,
        *,
        records_path: str | None = None,
        envelope: Sequence[str] = (),
        extract: Sequence[str] = (),
        structs: bool = False,
        expected: Expected | None = None,
        overlaps: bool = False,
    ) -> None:
        """`records_path` leads to the rows in a body, `envelope` to values beside them.

        Without a records path the body is the rows. `extract` leads to nested values of a row that
        become columns, named `a.b`. With `overlaps` each page is compared with the end of the one
        before. With `structs` objects and lists in a row become structs and
        lists, where all values of a column in the run are alike; else they are JSON text.

        Only a list proves how many rows there are; `expected` tells rows from what is none. Raises
        ConfigurationError(InvalidSpec) where a path cannot be followed.
        """
        # A blank path states nothing.
        records_path = (records_path or "").strip()
        self._path = _parse(records_path)
        expected = expected or Expected()
        self._expected = replace(
            expected,
            stated=expected.stated.union(_parse(name)[0] for name in expected.stated),
            is_path_stated=bool(records_path),
            is_whole_stated=bool(records_path) and not self._path,
        )
        self._structs = structs
        self._had_rows = bool(expected.known)
        self._empty = Envelope(0, (MISSING,) * len(envelope))
        self._decoder = external_data_decoder.Decoder(
            records_path=list(self._path),
            envelope=[list(_parse(path)) for path in envelope],
            extract=[list(_parse(path)) for path in extract],
            structs=structs,
            proof=True,
            nothing=expected.nothing_is_empty,
            known=sorted(expected.known),
            overlaps=overlaps,
        )

    @property
    def rows(self) -> int:
        """Rows since the last flush."""
        return self._decoder.rows

    @property
    def bytes(self) -> int:
        """Bytes of the bodies since the last flush."""
        return self._decoder.bytes

    @property
    def empty_page(self) -> Envelope:
        """The envelope of a response without content (204)."""
        return self._empty

    def push(self, page: Body, *, unless: int | None = None) -> Envelope:
        """Takes a body whole, or raises RunError and is as it was before. Rows with the digest
        `unless` are not added.

        The same page may be fetched and pushed again then.
        ResponseError: InvalidResponse, RecordsPathNotFound, InvalidRecords;
        ConfigurationError: LimitExceeded; RetryableError: SourceUnavailable, where the body breaks
        off or holds nothing, and InvalidResponse, where it holds something else than rows of this
        stream.
        """
        try:
            found = self._push(page, unless)
        except external_data_decoder.DecodeError as error:
            raise self._remedy(error, page) from error
        self._had_rows = self._had_rows or found.rows > 0
        return found

    def _push(self, page: Body, unless: int | None) -> Envelope:
        """Decodes a page; one object is judged by its keys first."""
        try:
            return _read(self._decoder.push(page, unless=unless))
        except external_data_decoder.DecodeError as error:
            is_lone = error.kind == "lone_object" or self._is_stated(error)
            if not is_lone or self._judge(error.keys) is not ObjectVerdict.ROW:
                raise
        return _read(self._decoder.push(page, lone_object=True, unless=unless))

    def _is_stated(self, error: external_data_decoder.DecodeError) -> bool:
        """Whether an object that looks like a map of rows is one row by the spec or by earlier
        rows."""
        names = {name for name, _ in error.keys}
        known = self._expected.known.union(self._decoder.fields, self._expected.stated)
        is_said = self._expected.is_whole_stated or bool(names & known)
        return error.kind == "map_of_rows" and is_said

    def _judge(self, keys: Sequence[tuple[str, str]]) -> ObjectVerdict:
        known = self._expected.known.union(self._decoder.fields)
        return judge(keys, replace(self._expected, known=known))

    @property
    def replaced(self) -> Mapping[str, int]:
        """Characters that became U+FFFD since the last flush, by column; bytes of no column have
        the name `""`."""
        return {name or "": count for name, count in self._decoder.replaced}

    def flush(self) -> pa.RecordBatch:
        """All rows since the last flush, with every column of the run so far.

        Columns are in the order in which they first appeared. One with only nulls in the whole run
        has type null; types widen from batch to batch, never narrow.
        """
        records = pa.record_batch(self._decoder.flush())
        return _mark_structs(records) if self._structs else records

    def _remedy(self, error: external_data_decoder.DecodeError, page: Body) -> RunError:
        match error.kind:
            # A server under load may answer with nothing, which does not prove the end.
            case "empty" | "nothing":
                message = f"The response contains neither rows nor an empty list: {error.detail}."
                found: RunError = RetryableError(Reason.SOURCE_UNAVAILABLE, message)
            # A body without rows: an error, an envelope, or the response to another request.
            case "lone_object" | "strangers":
                found = self._remedy_for_object(error)
            case "map_of_rows":
                found = self._remedy_for_map(error)
            case "twice":
                message = (
                    f"The response contains recordsPath {format_path(self._path)} twice, with "
                    "different rows, so that one list would be lost."
                )
                found = ResponseError(Reason.INVALID_RESPONSE, message, lasting=True)
            case "path_not_found":
                found = self._remedy_for_path(error)
            case "not_objects":
                found = self._remedy_for_kind(error.detail)
            case kind if kind in _LIMITS:
                reason, words = _LIMITS[kind]
                found = ResponseError(reason, words.format(error.detail), lasting=True)
            case "too_large":
                message = f"The page is too large: {error.detail}. Request smaller pages."
                found = ConfigurationError(Reason.LIMIT_EXCEEDED, message)
            case _:
                found = _remedy_for_text(error.kind, error.detail, page)
        return found

    def _remedy_for_object(self, error: external_data_decoder.DecodeError) -> RunError:
        keys = _list_keys(error.keys)
        verdict = ObjectVerdict.STRANGER if error.kind == "strangers" else self._judge(error.keys)
        if verdict is ObjectVerdict.ENVELOPE:
            found = [format_path((*self._path, name)) for name in find_lists(error.keys)]
            hint = f"recordsPath: {' or '.join(found)}" if found else "recordsPath"
            message = (
                f"The response is one object with {keys}, which looks like an envelope around the "
                f"rows. Set {hint}, or recordsPath: $ if the object itself is the row."
            )
            return ResponseError(Reason.INVALID_RECORDS, message)
        if verdict is ObjectVerdict.ERROR:
            message = f"The response is an error instead of rows, with {keys}."
        elif self._had_rows:
            message = (
                f"The response has {keys}, and no field of the stream's earlier rows. If these are "
                "its rows now, edit the stream's spec; the next run then accepts them."
            )
        else:
            message = f"The response is one object with {keys}, without the primary key."
        return RetryableError(Reason.INVALID_RESPONSE, message)

    def _remedy_for_map(self, error: external_data_decoder.DecodeError) -> RunError:
        """Read as one row, rows by their ids would become a column for each id."""
        where = (
            f"The value at recordsPath {format_path(self._path)}" if self._path else "The response"
        )
        # A path that leads into the body cannot be replaced by that of the body.
        what = "add one of its keys to primaryKey" if self._path else "set recordsPath: $"
        message = (
            f"{where} is one object of {len(error.keys)} objects with the same fields, by "
            f"{_list_keys(error.keys)}: rows by their ids instead of a list of rows. Request a "
            f"list; if the object itself is the row, {what}."
        )
        return ResponseError(Reason.INVALID_RECORDS, message)

    def _remedy_for_path(self, error: external_data_decoder.DecodeError) -> RunError:
        """If the path was found before, or the body is an error, the spec is not at fault."""
        message = f"recordsPath {format_path(self._path)} was not found: {error.detail}."
        if is_error(error.keys):
            return RetryableError(Reason.INVALID_RESPONSE, message)
        if self._had_rows:
            return RetryableError(Reason.RECORDS_PATH_NOT_FOUND, message)
        return ResponseError(Reason.RECORDS_PATH_NOT_FOUND, message)

    def _remedy_for_kind(self, detail: str) -> RunError:
        """A text instead of a list that was there before is an error message."""
        message = f"The rows at {format_path(self._path)} are not JSON objects: {detail}."
        if self._had_rows:
            return RetryableError(Reason.INVALID_RECORDS, message)
        return ResponseError(Reason.INVALID_RECORDS, message)


def _mark_structs(records: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with marks on JSON text, whose values come as structs in other batches."""
    if not any(map(is_json, records.schema)):
        return records
    marked = [_mark_field(field) if is_json(field) else field for field in records.schema]
    return pa.RecordBatch.from_arrays(records.columns, schema=pa.schema(marked))


def _mark_field(field: pa.Field) -> pa.Field:
    return field.with_metadata({**(field.metadata or {}), STRUCTS_KEY: b"1"})


def _list_keys(keys: Sequence[tuple[str, str]]) -> str:
    shown = ", ".join(
        json.dumps(name[:_KEY_CHARS_MAX], ensure_ascii=False) for name, _ in keys[:_KEYS_MAX]
    )
    more = f" and {len(keys) - _KEYS_MAX} more" if len(keys) > _KEYS_MAX else ""
    return f"the keys {shown}{more}" if shown else "no keys"


def _read(pushed: tuple[int, list[tuple[str, str]], int, bool, int]) -> Envelope:
    rows, values, digest, repeated, overlap = pushed
    return Envelope(rows, tuple(map(Value._make, values)), digest, repeated, overlap)


def _parse(path: str) -> FieldPath:
    try:
        return parse_path(path)
    except ValueError as error:
        message = f"{str(error).removesuffix('.')}."
        raise ConfigurationError(Reason.INVALID_SPEC, message) from error


def _remedy_for_text(kind: str, detail: str, page: Body) -> RunError:
    """An incomplete body may be whole the next time; a fault in its middle usually repeats."""
    begin = page[:64].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    if begin in {b"{", b"["}:
        if kind == "truncated":
            message = f"The response is incomplete JSON: {detail}."
            return RetryableError(Reason.SOURCE_UNAVAILABLE, message)
        message = f"The response is not valid JSON: {detail}."
        return ResponseError(Reason.INVALID_RESPONSE, message, lasting=True)
    looks = "looks like HTML or XML" if begin == b"<" else "does not begin with JSON"
    message = f"The response is not JSON: it {looks}. Check path and baseUrl."
    return ResponseError(Reason.INVALID_RESPONSE, message)
