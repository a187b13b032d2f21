"""A REST API as a source: its address, its authentication and its streams."""

from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from external_data_operator.api.auth import HttpAuth
from external_data_operator.api.base import CelRule, SpecModel, UnionModel
from external_data_operator.api.cursors import CursorType, IncrementalField, RowOrder
from external_data_operator.api.meta import CertificateRef
from external_data_operator.api.paths import spell_field
from external_data_operator.api.sources.rest_rules import (
    HEADER_VALUE,
    INCREMENTAL_RULES,
    OFFSET_RULES,
    SOURCE_RULES,
    STREAM_RULES,
    build_path_rule,
)

PathText = Annotated[str, Field(min_length=1, max_length=256)]
RowField = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(spell_field)]
"""A field of a row, spelled without `$.`."""
ParamName = Annotated[str, Field(min_length=1, max_length=128)]
ParamValue = Annotated[str, Field(max_length=2048)]
IDLE_PAGES_MAX = 1_000_000


def _write_scalar(value: Any) -> Any:
    """A YAML scalar as text: `true`, and numbers without an exponent."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and isfinite(value):
        return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"
    return value


def _write_header(value: Any) -> Any:
    """Text, or the digits of a whole number. YAML reads `1.10` as 1.1 and `no` as false, so that
    neither is what a person wrote."""
    if isinstance(value, bool | float):
        raise ValueError("must be text or a whole number; put it in quotes")
    return _write_scalar(value)


ParamScalar = Annotated[
    str,
    BeforeValidator(_write_scalar),
    Field(
        max_length=2048,
        # A structural schema has no union of scalar types; objects and lists have no room.
        json_schema_extra={
            "x-kubernetes-preserve-unknown-fields": True,
            "maxProperties": 0,
            "maxItems": 0,
        },
    ),
]
"""Text, a number, true or false."""
HeaderValue = Annotated[
    str,
    BeforeValidator(_write_header),
    Field(
        max_length=2048,
        pattern=HEADER_VALUE,
        # Behind a validator pydantic leaves the pattern out of the schema.
        json_schema_extra={"x-kubernetes-int-or-string": True, "pattern": HEADER_VALUE},
    ),
]
"""Text or a whole number."""


class HttpMethod(StrEnum):
    """The methods that only read."""

    GET = "GET"
    POST = "POST"


class RestTls(SpecModel):
    """TLS settings."""

    ca: CertificateRef
    """Certificate authorities to trust instead of the public ones."""


class NonePagination(SpecModel):
    """One request returns all rows."""


class CursorPagination(SpecModel):
    """The response contains a token, which the next request sends back."""

    cursor_path: PathText
    """Path of the token in the body. A token that is missing, null, empty or false ends the
    walk."""
    cursor_param: ParamName = "cursor"
    """Query parameter that sends the token back unchanged. A value in `params` under this name
    is the first token."""
    idle_pages_max: int = Field(default=10, ge=1, le=IDLE_PAGES_MAX)
    """Number of pages in a row that may have no new row (no row, or the rows of the page before)
    although each has a next page. One more ends the run with LoopDetected. Raise it for a source
    that filters rows after it has divided them into pages."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (build_path_rule("cursorPath"),)


class OffsetPagination(SpecModel):
    """The next request skips the rows received so far, so that no row is lost if the server returns
    smaller pages than requested."""

    limit: int = Field(ge=1, le=1_000_000)
    """Number of rows per request."""
    limit_param: ParamName = "limit"
    """Query parameter for the limit. A value in `params` under this name replaces `limit`."""
    offset_param: ParamName = "offset"
    """Query parameter for the offset. A value in `params` under this name replaces
    `initialOffset`."""
    initial_offset: int = Field(default=0, ge=0)
    """Offset of the first row."""
    total_path: PathText | None = None
    """Path of the total number of rows in the body. The total ends the walk only after a page
    that is smaller than an earlier one, and an empty page before the total fails the run.
    Default: an empty page ends the walk."""
    idle_pages_max: int = Field(default=0, ge=0, le=IDLE_PAGES_MAX)
    """Number of pages in a row whose rows may equal those of the page before and are kept as
    further rows. One more ends the run with LoopDetected, because a server that ignores the
    offset repeats its rows. Raise it only for a source that has equal rows."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = OFFSET_RULES


class NextUrlPagination(SpecModel):
    """The response contains the address of the next page."""

    next_url_path: PathText
    """Path of the address in the body. The address is absolute or relative; one that is missing,
    null, empty or false ends the walk."""
    idle_pages_max: int = Field(default=10, ge=1, le=IDLE_PAGES_MAX)
    """Number of pages in a row that may have no new row (no row, or the rows of the page before)
    although each has a next page. One more ends the run with LoopDetected. Raise it for a source
    that filters rows after it has divided them into pages."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (build_path_rule("nextUrlPath"),)


class Pagination(UnionModel):
    """How to request the next page. Exactly one key must be set."""

    none: NonePagination | None = None
    """One request returns all rows."""
    cursor: CursorPagination | None = None
    """The response contains a token, which the next request sends back."""
    offset: OffsetPagination | None = None
    """Offset and limit as query parameters."""
    next_url: NextUrlPagination | None = None
    """The response contains the address of the next page."""


class RestIncremental(SpecModel):
    """How to request the rows that changed since the last run."""

    cursor_path: RowField
    """Path of the cursor in a row, such as `updated_at` or `meta.updated_at`."""
    start_param: ParamName | None = None
    """Query parameter for the lower bound. If unset, every run reads the whole stream, and
    merges or appends the new rows."""
    end_param: ParamName | None = None
    """Query parameter for the upper bound of a window. Requires `windowSeconds`."""
    initial_value: ParamValue | None = None
    """Lower bound of the first run. If unset, the first run omits `startParam`."""
    cursor_type: CursorType = CursorType.DATE_TIME
    """Type of the values, which decides their order and format: Integer, Numeric, DateTime, Date,
    Timestamp or ObjectId."""
    format: str | None = Field(default=None, min_length=1, max_length=64)
    """strftime pattern for the bounds in requests. Default: ISO 8601; integers as they are."""
    row_order: RowOrder = RowOrder.UNORDERED
    """Order in which the source returns rows. A long run of an Ascending stream may publish
    before it ends; other streams move the cursor at the end."""
    window_seconds: int | None = Field(default=None, ge=1)
    """Length of one window of an initial load, in seconds of the cursor. Requires `startParam`,
    `endParam` and `initialValue`. Only a stream with a primary key is read in windows, because many
    servers return a row on the edge of two windows twice."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = INCREMENTAL_RULES


def find_declared(incremental: RestIncremental | None) -> IncrementalField | None:
    """The cursor that a REST stream declares."""
    if incremental is None:
        return None
    return IncrementalField(name=incremental.cursor_path, type=incremental.cursor_type)


class NestedValues(StrEnum):
    """Representation of objects and lists inside a row."""

    JSON = "Json"
    STRUCTS = "Structs"


class EmptyBody(StrEnum):
    """Meaning of a response that has neither rows nor an empty list."""

    FAIL = "Fail"
    EMPTY_PAGE = "EmptyPage"


class RestStream(SpecModel):
    """One sequence of similar records, which becomes one table."""

    name: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")
    """Name of the stream. The name of the table is `tablePrefix` and this name in snake case."""
    description: str | None = Field(default=None, max_length=1000)
    """Description of the records, for people."""
    path: str = Field(min_length=1, max_length=2048, pattern=r"^/?([^/\s?#][^\s?#]*)?$")
    """Path below `baseUrl`, without query parameters, which belong in `params`."""
    method: HttpMethod = HttpMethod.GET
    """HTTP method. Use POST only for reads."""
    params: dict[str, ParamScalar] = Field(default_factory=dict, max_length=64)
    """Query parameters of every request."""
    body: dict[str, Any] | None = None
    """JSON body of every request. Requires method POST."""
    records_path: str | None = Field(default=None, max_length=256)
    """Path of the rows in the body (`data`, `result.items`). Default: the body is the list. `$`
    declares that the body itself is the list, or the only row."""
    empty_body: EmptyBody = EmptyBody.FAIL
    """Meaning of an empty response: no byte, null, or an empty object or null in place of the rows.
    Fail repeats the request and then fails the run, because servers under load send such responses.
    EmptyPage is a page without rows."""
    primary_key: list[RowField] = Field(default_factory=list, max_length=16)
    """Fields that identify a row."""
    pagination: Pagination = Field(default_factory=lambda: Pagination(none=NonePagination()))
    """How to request the next page. Exactly one key must be set. Default: one request returns all
    rows."""
    incremental: RestIncremental | None = None
    """How to request the rows that changed. If unset, every sync reads the whole stream."""
    nested_values: NestedValues = NestedValues.JSON
    """Representation of objects and lists inside a row. Json keeps the source's own text. Structs
    creates typed structs and lists for columns whose values have the same types at every depth, and
    JSON text for other columns."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = STREAM_RULES


class RateLimit(SpecModel):
    """Rate that the API allows. The runner stays below it."""

    requests_per_second: float = Field(gt=0, le=10_000)
    """Requests per second, over all streams of one run."""


class RestSource(SpecModel):
    """A REST API that returns JSON."""

    base_url: str = Field(
        min_length=1, max_length=2048, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
    )
    """Address to which every path is appended. Plain http needs a private host that the operator's
    administrator has allowed."""
    auth: HttpAuth | None = None
    """Authentication of requests. Exactly one key must be set. Credentials are sent only to the
    scheme, host and port of `baseUrl`."""
    tls: RestTls | None = None
    """TLS settings. Default: the public certificate authorities are trusted."""
    headers: dict[str, HeaderValue] = Field(default_factory=dict, max_length=64)
    """Headers of every request, each a text or a whole number. Credentials belong in `auth`."""
    concurrency: int = Field(default=4, ge=1, le=32)
    """Number of requests of one run that may be in progress at the same time, if the pagination
    allows it."""
    rate: RateLimit | None = None
    """Rate limit of the runner. Default: no limit."""
    streams: list[RestStream] = Field(
        min_length=1, max_length=50, json_schema_extra={"listMapKeys": ["name"]}
    )
    """The streams of the source, each with a unique name."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = SOURCE_RULES

    @field_validator("streams")
    @classmethod
    def _names_unique(cls, streams: list[RestStream]) -> list[RestStream]:
        """What the list-map key says to the API server."""
        seen: set[str] = set()
        for stream in streams:
            if stream.name in seen:
                raise ValueError(f"two streams have the name {stream.name}")
            seen.add(stream.name)
        return streams
