"""One request holds everything."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync_runner.paginators.page import PageRequest, Value


@dataclass(frozen=True)
class SinglePage:
    """A walk of one page."""

    @property
    def paths(self) -> Sequence[str]:
        """Nothing in the body matters."""
        return ()

    def build_first(self, url: str) -> PageRequest:
        """The only request."""
        return PageRequest(url)

    def find_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """There is none."""

    def guess_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """There is none."""
