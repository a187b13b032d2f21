"""What paginators speak of: the request of a page, and the values that its body says the next one
with."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, quote

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import MISSING, Value


class PageRequest(NamedTuple):
    """One request of a walk; together with the plan it says everything that is sent."""

    url: str
    base: str = ""
    """The address without what the paginator puts into it."""
    skip: int = 0
    """Rows before this page, for the styles that count them."""
    start: int = 0
    """`skip` of the first page."""
    limit: int = 0
    """Rows that are asked for; 0 where that is not said."""
    size: int = 0
    """Rows of the largest page so far."""
    total: int | None = None
    """Rows of the stream, as the last page declared them."""

    @property
    def received(self) -> int:
        """Rows that came before this page, for the styles that count them."""
        return self.skip - self.start


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
    def counts_rows(self) -> bool:
        """Whether the next request follows from the number of rows, not from what a page says."""

    def build_first(self, url: str) -> PageRequest:
        """The first page of the stream at this address. A parameter of the address that is the
        paginator's own holds its first value."""

    def find_fault(self, sent: PageRequest, values: Sequence[Value], rows: int) -> str | None:
        """Why this page cannot be right, in a sentence; another attempt may help."""

    def find_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The page behind the one that answered `sent` with these values and this many rows; None
        at the end.

        Raises ConfigurationError where the values cannot lead anywhere.
        """

    def step(self, sent: PageRequest, skip: int) -> PageRequest | None:
        """The request of the page that begins behind `skip` rows; None where rows are not
        counted."""

    def guess_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The page behind `sent`, should that hold `rows` rows.

        `values` are the last page's. None where only the page itself can tell, or where the end is
        known to be before it.
        """


def find_missing(paginator: Paginator, values: Sequence[Value]) -> list[str]:
    """The spec's paths that a page lacks, each with its field's name. Null is not missing."""
    paths = zip(paginator.fields, paginator.paths, values, strict=True)
    return [f"{field} {path}" for field, path, value in paths if value == MISSING]


_NOTHING = (Value("string", ""), Value("boolean", "false"))


def is_absent(value: Value) -> bool:
    """Whether a value leads to no next page: missing, null, empty or false."""
    return value.kind in ("missing", "null") or value in _NOTHING


def refuse_value(field: str, path: str, value: Value, wanted: str) -> ConfigurationError:
    """What leads nowhere, by its kind; never by its text."""
    found = {"boolean": "true", "object": "an object"}.get(value.kind, f"a {value.kind}")
    message = f"{field} {path} leads to {found}, which is not {wanted}"
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
