"""A REST API as a source: where it is, how to be let in, and its streams."""

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
    """Whom to trust."""

    ca: CertificateRef
    """Certificate authorities to trust instead of the public ones."""


class NonePagination(SpecModel):
    """One request holds everything."""


class CursorPagination(SpecModel):
    """The body holds a token; the next request sends it back."""

    cursor_path: PathText
    """Where in the body the token is. Missing, null, empty or false: the walk ends."""
    cursor_param: ParamName = "cursor"
    """Query parameter that carries it, character by character. A value in `params` under this name
    is the first token."""
    idle_pages_max: int = Field(default=10, ge=1, le=IDLE_PAGES_MAX)
    """Pages in a row that bring no new row (none, or those of the page before) and still lead on;
    one more ends the run with LoopDetected. Raise it for a source that filters after it has cut its
    pages."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (build_path_rule("cursorPath"),)


class OffsetPagination(SpecModel):
    """The next request skips the rows received so far, so that a server which caps its pages loses
    nothing."""

    limit: int = Field(ge=1, le=1_000_000)
    """Rows to ask for in one request."""
    limit_param: ParamName = "limit"
    """Query parameter that carries the limit. A value in `params` under this name replaces
    `limit`."""
    offset_param: ParamName = "offset"
    """Query parameter that carries the offset. A value in `params` under this name replaces
    `initialOffset`."""
    initial_offset: int = Field(default=0, ge=0)
    """Offset of the first row."""
    total_path: PathText | None = None
    """Where in the body the total number of rows is. It ends the walk only behind a page that is
    smaller than one before it, and an empty page before it fails the run. Default: an empty page
    ends the walk."""
    idle_pages_max: int = Field(default=0, ge=0, le=IDLE_PAGES_MAX)
    """Pages in a row whose rows are equal to those of the page before, and are kept as further
    rows. Default: 0. Such a page ends the run with LoopDetected, because a server that ignores the
    offset answers so. Raise it only for a source that has equal rows."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = OFFSET_RULES


class NextUrlPagination(SpecModel):
    """The body holds the address of the next page."""

    next_url_path: PathText
    """Where in the body the address is, absolute or relative. Missing, null, empty or false: the
    walk ends."""
    idle_pages_max: int = Field(default=10, ge=1, le=IDLE_PAGES_MAX)
    """Pages in a row that bring no new row (none, or those of the page before) and still lead on;
    one more ends the run with LoopDetected. Raise it for a source that filters after it has cut its
    pages."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (build_path_rule("nextUrlPath"),)


class Pagination(UnionModel):
    """How one page leads to the next; exactly one key."""

    none: NonePagination | None = None
    """One request holds everything."""
    cursor: CursorPagination | None = None
    """A token in the body, which the next request sends back."""
    offset: OffsetPagination | None = None
    """Offset and limit as query parameters."""
    next_url: NextUrlPagination | None = None
    """The address of the next page, in the body."""


class RestIncremental(SpecModel):
    """How to ask for what changed since the last run."""

    cursor_path: RowField
    """Where in a row the cursor's value is; may be nested (`meta.updated_at`)."""
    start_param: ParamName | None = None
    """Query parameter that carries the lower bound; without it every run reads the whole stream,
    and what is new is merged or appended."""
    end_param: ParamName | None = None
    """Query parameter that carries the upper bound of a window; only with `windowSeconds`."""
    initial_value: ParamValue | None = None
    """Lower bound of the first run; without it the parameter is left out."""
    cursor_type: CursorType = CursorType.DATE_TIME
    """How values are compared and written: Integer, Numeric, DateTime, Date, Timestamp or
    ObjectId."""
    format: str | None = Field(default=None, min_length=1, max_length=64)
    """strftime pattern in which the bounds are sent; without it ISO 8601, integers as they are."""
    row_order: RowOrder = RowOrder.UNORDERED
    """Ascending streams may publish in the middle of a long run; others move the cursor at the
    end."""
    window_seconds: int | None = Field(default=None, ge=1)
    """Length of one window of an initial load, in seconds of the cursor; needs `startParam`,
    `endParam` and `initialValue`. Only rows that collapse by a primary key are read in windows:
    many servers send a row on the edge of two windows twice."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = INCREMENTAL_RULES


def find_declared(incremental: RestIncremental | None) -> IncrementalField | None:
    """The cursor that a REST stream declares."""
    if incremental is None:
        return None
    return IncrementalField(name=incremental.cursor_path, type=incremental.cursor_type)


class NestedValues(StrEnum):
    """What becomes of objects and lists inside a row."""

    JSON = "Json"
    STRUCTS = "Structs"


class EmptyBody(StrEnum):
    """What a response means that holds neither rows nor an empty list."""

    FAIL = "Fail"
    EMPTY_PAGE = "EmptyPage"


class RestStream(SpecModel):
    """One sequence of like records, and so one table."""

    name: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$")
    """Name of the stream; the table is `tablePrefix` and this, in snake case."""
    description: str | None = Field(default=None, max_length=1000)
    """What the records are, for people."""
    path: str = Field(min_length=1, max_length=2048, pattern=r"^/?([^/\s?#][^\s?#]*)?$")
    """Path below `baseUrl`; query parameters belong into `params`."""
    method: HttpMethod = HttpMethod.GET
    """How to ask; POST only where it reads."""
    params: dict[str, ParamScalar] = Field(default_factory=dict, max_length=64)
    """Query parameters sent with every request."""
    body: dict[str, Any] | None = None
    """JSON body of a POST."""
    records_path: str | None = Field(default=None, max_length=256)
    """Where in the body the rows are (`data`, `result.items`). Default: the body is the list. `$`
    states that the body itself is the list, or the one row."""
    empty_body: EmptyBody = EmptyBody.FAIL
    """What a response means that holds nothing: no byte, null, or an empty object or null where the
    rows should be. Fail asks again and then fails the run, because servers under load answer so;
    EmptyPage takes it for a page without rows."""
    primary_key: list[RowField] = Field(default_factory=list, max_length=16)
    """Fields that name a row."""
    pagination: Pagination = Field(default_factory=lambda: Pagination(none=NonePagination()))
    """How one page leads to the next: exactly one key. Without it one request holds everything."""
    incremental: RestIncremental | None = None
    """How to ask for what changed; without it every sync reads everything."""
    nested_values: NestedValues = NestedValues.JSON
    """What objects and lists inside a row become: Json keeps the source's own text, Structs makes
    typed structs and lists of columns whose values are alike at every depth, and else JSON text."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = STREAM_RULES


class RateLimit(SpecModel):
    """What the API allows; the runner stays below it."""

    requests_per_second: float = Field(gt=0, le=10_000)
    """Requests a second, over all streams of one run."""


class RestSource(SpecModel):
    """A REST API that answers in JSON."""

    base_url: str = Field(
        min_length=1, max_length=2048, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
    )
    """Address that every path is appended to. Plain http is for private hosts that the operator
    opened."""
    auth: HttpAuth | None = None
    """How requests are let in: exactly one key. Sent only to the scheme, host and port of
    `baseUrl`."""
    tls: RestTls | None = None
    """Whom to trust instead of the public certificate authorities."""
    headers: dict[str, HeaderValue] = Field(default_factory=dict, max_length=64)
    """Headers sent with every request, each a text or a whole number; credentials belong into
    `auth`."""
    concurrency: int = Field(default=4, ge=1, le=32)
    """Requests of one run that may be under way at once, where the pagination allows it."""
    rate: RateLimit | None = None
    """A declared rate that the runner stays below."""
    streams: list[RestStream] = Field(
        min_length=1, max_length=50, json_schema_extra={"listMapKeys": ["name"]}
    )
    """The streams, each with a name of its own."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = SOURCE_RULES

    @field_validator("streams")
    @classmethod
    def _names_unique(cls, streams: list[RestStream]) -> list[RestStream]:
        """What the list-map key says to the API server."""
        seen: set[str] = set()
        for stream in streams:
            if stream.name in seen:
                raise ValueError(f"two are named {stream.name}")
            seen.add(stream.name)
        return streams
