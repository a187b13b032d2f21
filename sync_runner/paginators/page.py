"""What paginators speak of: the request of a page, and the values that its body says the next one
with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, quote

Value = str | int | float | bool | None
"""A scalar of a body, as the decoder hands it out."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request of a walk; together with the plan it says everything that is sent."""

    url: str
    base: str = ""
    """The address without what the paginator puts into it."""
    skip: int = 0
    """Rows before this page, for the styles that count them."""


class Paginator(Protocol):
    """From one page to the next. Pure: what it is asked decides the answer, whatever came
    before."""

    @property
    def paths(self) -> Sequence[str]:
        """Where in a body the values are that `find_next` wants."""

    def build_first(self, url: str) -> PageRequest:
        """The first page of the stream at this address."""

    def find_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The page behind the one that answered `sent` with these values and this many rows; None
        at the end.

        Raises ConfigurationError where the values cannot lead anywhere.
        """

    def guess_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The page behind `sent`, should that hold `rows` rows.

        `values` are the last page's. None where only the page itself can tell, or where the end is
        known to be before it.
        """


def add_params(url: str, params: Sequence[tuple[str, str]]) -> str:
    """The address with these query parameters behind those that it has."""
    if not params:
        return url
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params)
    return f"{url}{'&' if '?' in url else '?'}{query}"


def drop_params(url: str, names: Sequence[str]) -> str:
    """The address without the parameters that a paginator sets itself."""
    path, _, query = url.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(name in names for name, _ in pairs):
        return url
    return add_params(path, [pair for pair in pairs if pair[0] not in names])
