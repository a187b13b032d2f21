"""Requests each page by the number of rows received so far.

The offset grows by the rows that were received, not by the limit that was requested, so that a
server which caps its pages loses nothing; for the same reason a short page alone does not end the
walk. An empty page does. A declared total may be an estimate, a cap, or the page's own count: it
ends a walk only if exactly that number of rows was received and the last page was smaller than one
before it. An empty page before the total is a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import OffsetPagination

from sync_runner.errors import ConfigurationError
from sync_runner.sources.rest.pagination.page import (
    Counted,
    PageRequest,
    PageResponse,
    add_params,
    take_params,
)
from sync_runner.transport.messages import Request

_DIGITS_MAX = 15


@dataclass(frozen=True)
class OffsetPages:
    """Counts rows."""

    spec: OffsetPagination

    @property
    def paths(self) -> Sequence[str]:
        """The total's, where it is declared."""
        return (self.spec.total_path,) if self.spec.total_path else ()

    @property
    def fields(self) -> Sequence[str]:
        """The spec's name of it."""
        return ("totalPath",)[: len(self.paths)]

    key = "offset"

    @property
    def idle_pages_max(self) -> int:
        """The spec's own bound."""
        return self.spec.idle_pages_max

    @property
    def what(self) -> str:
        """The spec's fields that lead on."""
        return f"offsetParam {self.spec.offset_param}"

    def build_first(self, request: Request) -> PageRequest:
        """The request of the first row."""
        spec = self.spec
        url, first = take_params(request.url, [spec.limit_param, spec.offset_param])
        limit = _parse_param(first, spec.limit_param, spec.limit)
        start = _parse_param(first, spec.offset_param, spec.initial_offset)
        url = add_params(url, [(spec.limit_param, str(limit))])
        url = add_params(url, [(spec.offset_param, str(start))])
        return PageRequest(request.at(url), Counted(at=start, limit=limit))

    def find_fault(self, sent: PageRequest, page: PageResponse) -> str | None:
        """An empty page before the declared total."""
        counted = _counted(sent)
        total = _find_total(counted, page)
        if page.rows or total is None or counted.received >= total:
            return None
        return (
            f"The page is empty after {counted.received} rows, but totalPath "
            f"{self.spec.total_path} declares {total}. If it is an estimate, remove totalPath."
        )

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        """The request behind the rows that came."""
        counted, rows = _counted(sent), page.rows
        total = _find_total(counted, page)
        if rows == 0 or (rows < counted.size and counted.received + rows == total):
            return None
        return _skip(sent, rows, size=max(counted.size, rows), total=total)

    def guess_next(self, sent: PageRequest, last: PageResponse) -> PageRequest | None:
        """The request behind as many rows as the last page had."""
        counted = _counted(sent)
        total = _find_total(counted, last)
        if total is not None and counted.received + last.rows >= total:
            return None
        return _skip(sent, last.rows, size=counted.size, total=counted.total)

    def ask_from(self, sent: PageRequest, received: int) -> PageRequest:
        """The request of the page that begins behind so many rows."""
        counted = _counted(sent)
        rows = received - counted.received
        return _skip(sent, rows, size=counted.size, total=counted.total)


def _counted(sent: PageRequest) -> Counted:
    assert sent.counted is not None, "each request of a walk that counts is counted"
    return sent.counted


def _skip(sent: PageRequest, rows: int, *, size: int, total: int | None) -> PageRequest:
    """The request of the page so many rows further on. The offset is the last of the address."""
    request, counted = sent.request, _counted(sent)
    at = counted.at + rows
    url = f"{request.url.removesuffix(str(counted.at))}{at}"
    return PageRequest(
        request.at(url), Counted(at, counted.received + rows, counted.limit, size, total)
    )


def _parse_param(given: dict[str, str], name: str, default: int) -> int:
    """What the stream's own parameters say of a number that the paginator counts with."""
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        message = f"params.{name} must be a whole number, since the pagination counts with it."
        raise ConfigurationError(Reason.INVALID_SPEC, message)
    return int(text)


def _find_total(counted: Counted, page: PageResponse) -> int | None:
    """The declared total, or the one declared before. One smaller than the page counts something
    else."""
    value = page.values[0] if page.values else None
    if value is None or value.kind not in ("number", "string"):
        return counted.total
    try:
        total = int(float(value.text)) if len(value.text) <= _DIGITS_MAX else -1
    except (ValueError, OverflowError):
        return counted.total
    return total if total >= page.rows else None
