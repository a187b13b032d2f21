"""Skips the rows received so far.

The offset grows by the rows that came, never by the rows that were asked for, so that a server
which caps its pages loses nothing; for the same reason a short page ends nothing. The walk ends at
an empty page, or when the source's own total is reached. A total that is smaller than the page
beside it counts something else and is not believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.sources.rest import OffsetPagination

from sync_runner.paginators.page import PageRequest, Value, add_params, drop_params


@dataclass(frozen=True)
class OffsetPages:
    """Counts rows."""

    spec: OffsetPagination

    @property
    def paths(self) -> Sequence[str]:
        """The total's, where it is declared."""
        return (self.spec.total_path,) if self.spec.total_path else ()

    def build_first(self, url: str) -> PageRequest:
        """The request of the first row."""
        base = drop_params(url, [self.spec.limit_param, self.spec.offset_param])
        base = add_params(base, [(self.spec.limit_param, str(self.spec.limit))])
        return self._build(base, self.spec.initial_offset)

    def find_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The request behind the rows that came."""
        if rows == 0 or self._is_reached(sent.skip + rows, values, rows):
            return None
        return self._build(sent.base, sent.skip + rows)

    def guess_next(
        self, sent: PageRequest, values: Sequence[Value], rows: int
    ) -> PageRequest | None:
        """The request behind as many rows as the last page had."""
        if self._is_reached(sent.skip + rows, values, rows):
            return None
        return self._build(sent.base, sent.skip + rows)

    def _is_reached(self, skip: int, values: Sequence[Value], rows: int) -> bool:
        total = _find_total(values)
        return total is not None and rows <= total <= skip - self.spec.initial_offset

    def _build(self, base: str, skip: int) -> PageRequest:
        url = f"{base}&{self._quoted_param}={skip}"
        return PageRequest(url, base=base, skip=skip)

    @property
    def _quoted_param(self) -> str:
        return add_params("", [(self.spec.offset_param, "")])[1:-1]


def _find_total(values: Sequence[Value]) -> int | None:
    value = values[0] if values else None
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None
