"""No pagination: one request returns all rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.sources.rest import NonePagination

from sync_runner.sources.rest.pagination.page import PageRequest, PageResponse
from sync_runner.transport.messages import Request


@dataclass(frozen=True)
class SinglePage:
    """A walk of one page."""

    spec: NonePagination

    @property
    def paths(self) -> Sequence[str]:
        """Nothing in the body matters."""
        return ()

    fields = paths
    key = "none"
    what = "the request"
    idle_pages_max = 0

    def build_first(self, request: Request) -> PageRequest:
        """The only request."""
        return PageRequest(request)

    def find_fault(self, sent: PageRequest, page: PageResponse) -> None:
        """Nothing can be checked."""

    def find_next(self, sent: PageRequest, page: PageResponse) -> None:
        """There is none."""
