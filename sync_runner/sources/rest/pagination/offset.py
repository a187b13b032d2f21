"""Skips the rows received so far.

The offset grows by the rows that came, never by the rows that were asked for, so that a server
which caps its pages loses nothing; for the same reason a short page alone ends nothing. The walk
ends at an empty page. A declared total may be an estimate, a cap, or the page's own count: it ends
a walk only where exactly so many rows came and the last page was smaller than one before it. An
empty page before the total is a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import OffsetPagination

from sync_runner.errors import ConfigurationError
from sync_runner.records.decode import Value
from sync_runner.sources.rest.pagination.page import PageRequest, add_params, take_params


@dataclass(frozen=True)
class OffsetPages:
    """Counts rows."""

    spec: OffsetPagination
    counts_rows = True

    @property
    def paths(self) -> Sequence[str]:
        """The total's, where it is declared."""
        return (self.spec.total_path,) if self.spec.total_path else ()

    @property
    def fields(self) -> Sequence[str]:
        """The spec's name of it."""
        return ("totalPath",)[: len(self.paths)]

    def build_first(self, url: str) -> PageRequest:
        """The request of the first row."""
        spec = self.spec
        base, first = take_params(url, [spec.limit_param, spec.offset_param])
        limit = _parse_param(first, spec.limit_param, spec.limit)
        start = _parse_param(first, spec.offset_param, spec.initial_offset)
        base = add_params(base, [(spec.limit_param, str(limit))])
        return self.step(PageRequest("", base, start=start, limit=limit), start)

    def find_fault(self, sent: PageRequest, values: Sequence[Value], rows: int) -> str | None:
        """An empty page before the declared total."""
        total = _find_total(sent, values, rows)
        if rows or total is None or sent.received >= total:
            return None
        return (
            f"the page is empty after {sent.received} rows, and totalPath {self.spec.total_path} "
            f"declares {total}; remove totalPath if it is an estimate"
        )

    def find_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The request behind the rows that came."""
        total = _find_total(sent, values, rows)
        if rows == 0 or (rows < sent.size and sent.received + rows == total):
            return None
        known = sent._replace(size=max(sent.size, rows), total=total)
        return self.step(known, sent.skip + rows)

    def guess_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The request behind as many rows as the last page had."""
        total = _find_total(sent, values, rows)
        if total is not None and sent.received + rows >= total:
            return None
        return self.step(sent, sent.skip + rows)

    def step(self, sent: PageRequest, skip: int) -> PageRequest:
        """The request of the page that begins at `skip`."""
        url = f"{sent.base}&{self._quoted_param}={skip}"
        return sent._replace(url=url, skip=skip)

    @property
    def _quoted_param(self) -> str:
        return add_params("", [(self.spec.offset_param, "")])[1:-1]


def _parse_param(given: dict[str, str], name: str, default: int) -> int:
    """What the stream's own parameters say of a number that the paginator counts with."""
    text = given.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        message = f"params.{name} is not a whole number, and pagination counts with it"
        raise ConfigurationError(Reason.INVALID_SPEC, message)
    return int(text)


def _find_total(sent: PageRequest, values: Sequence[Value], rows: int) -> int | None:
    """The declared total, or the one declared before. One smaller than the page counts something
    else."""
    value = values[0] if values else None
    if value is None or value.kind not in ("number", "string"):
        return sent.total
    try:
        total = int(float(value.text)) if len(value.text) <= _DIGITS_MAX else -1
    except (ValueError, OverflowError):
        return sent.total
    return total if total >= rows else None


_DIGITS_MAX = 15
