"""One request holds everything."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync_runner.records.decode import Value
from sync_runner.sources.rest.pagination.page import PageRequest


@dataclass(frozen=True)
class SinglePage:
    """A walk of one page."""

    @property
    def paths(self) -> Sequence[str]:
        """Nothing in the body matters."""
        return ()

    fields = paths
    counts_rows = False

    def build_first(self, url: str) -> PageRequest:
        """The only request."""
        return PageRequest(url)

    def find_fault(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """It is what it is."""

    def find_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """There is none."""

    def guess_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """There is none."""

    def step(self, sent: PageRequest, skip: int) -> None:
        """Rows are not counted."""
