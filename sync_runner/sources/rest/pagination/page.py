"""The interface of paginators: the request of a page, its response without rows, and the protocols
that a paginator implements."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable
from urllib.parse import parse_qsl, quote

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import MISSING, Value
from sync_runner.transport.messages import Request


class Counted(NamedTuple):
    """How far a walk has come whose paginator counts."""

    at: int = 0
    """What the request says of its page: the offset."""
    received: int = 0
    """Rows that came before this page."""
    limit: int = 0
    """Rows that are asked for; 0 where that is not said."""
    size: int = 0
    """Rows of the largest page so far."""
    total: int | None = None
    """Rows of the stream, as the last page declared them."""


class PageRequest(NamedTuple):
    """One request of a walk: all that is sent, but for what the client and the authentication
    add."""

    request: Request
    counted: Counted | None = None
    """None where the next request follows from what a page says, not from counting."""


class PageResponse(NamedTuple):
    """What a page said, but for its rows."""

    values: Sequence[Value] = ()
    """The values at the paginator's paths."""
    rows: int = 0
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    """Names in lower case."""
    url: str = ""
    """The address that answered, after redirects; relative addresses start there."""
    digest: int = 0
    """Tells the text of the rows from that of others; 0 where there are none."""
    overlap: int = 0
    """How many of the first rows ended the page before, for those who count."""


class Paginator(Protocol):
    """From one page to the next. Pure: what it is asked decides the answer, whatever came
    before."""

    @property
    def paths(self) -> Sequence[str]:
        """Where in a body the values are that `find_next` wants."""

    @property
    def fields(self) -> Sequence[str]:
        """The spec's names of these paths."""

    @property
    def key(self) -> str:
        """The spec's name of the style."""

    @property
    def what(self) -> str:
        """The spec's fields that lead on, with their values, for messages."""

    @property
    def idle_pages_max(self) -> int:
        """Pages in a row that may bring nothing new and lead on, or whose equal rows are kept where
        rows are counted."""

    def build_first(self, request: Request) -> PageRequest:
        """The first page of the stream that is asked for like this. A parameter of its address
        that is the paginator's own holds its first value."""

    def find_fault(self, sent: PageRequest, page: PageResponse) -> str | None:
        """Why this page cannot be right, in a sentence; another attempt may help."""

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        """The page behind the one that was the response to `sent`; None at the end.

        Raises ConfigurationError where the response cannot lead anywhere.
        """


@runtime_checkable
class Foresees(Protocol):
    """A paginator that can tell where pages are before the ones in front of them came; its
    requests are counted."""

    def guess_next(self, sent: PageRequest, last: PageResponse) -> PageRequest | None:
        """The page behind `sent`, should that have as many rows as the last page, which came.

        None where the end is known to be before it.
        """

    def ask_from(self, sent: PageRequest, received: int) -> PageRequest | None:
        """The page that begins behind so many rows of the stream; None where no page does."""


def find_missing_paths(paginator: Paginator, values: Sequence[Value]) -> list[str]:
    """The spec's paths that a page lacks, each with its field's name. Null is not missing."""
    paths = zip(paginator.fields, paginator.paths, values, strict=True)
    return [f"{field} {path}" for field, path, value in paths if value == MISSING]


_NOTHING = (Value("string", ""), Value("boolean", "false"))


def is_absent(value: Value) -> bool:
    """Whether a value leads to no next page: missing, null, empty or false."""
    return value.kind in ("missing", "null") or value in _NOTHING


def refuse_value(field: str, path: str, value: Value, wanted: str) -> ConfigurationError:
    """The error for a value that cannot lead to a page; by its kind, never by its text."""
    found = {"boolean": "true", "object": "an object"}.get(value.kind, f"a {value.kind}")
    message = f"{field} {path} is {found}, which is not {wanted}. Correct {field}."
    return ConfigurationError(Reason.INVALID_RESPONSE, message)


def add_params(url: str, params: Sequence[tuple[str, str]]) -> str:
    """The address with these query parameters behind those that it has."""
    if not params:
        return url
    query = "&".join([f"{_quote(name)}={_quote(value)}" for name, value in params])
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _quote(text: str) -> str:
    # Names and most tokens are plain, and each page has its own.
    return text if text.isalnum() and text.isascii() else quote(text, safe="")


def take_params(url: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The address without the parameters that a paginator sets itself, and what they held."""
    path, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    taken = {name: value for name, value in pairs if name in names}
    if not taken:
        return url, taken
    return add_params(path, [pair for pair in pairs if pair[0] not in names]), taken


def set_last_param(url: str, name: str, value: str) -> str:
    """The address with this parameter at its end, in place of what it had there under this name."""
    name = _quote(name)
    base, sign, last = url.rpartition("&")
    if not sign:
        base, sign, last = url.rpartition("?")
    if not sign or not last.startswith(f"{name}="):
        base, sign = url, "&" if "?" in url else "?"
    return f"{base}{sign}{name}={_quote(value)}"
