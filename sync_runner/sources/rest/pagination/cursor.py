"""A token in the body, sent back as a query parameter, character by character.

Missing, null, the empty string and false end the walk. The number 0 is a token like any other:
some sources count from it, and ending there would lose their rows. If 0 means the end, the walk
returns to a token that it has seen, and the loop guard ends the run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.sources.rest import CursorPagination

from sync_runner.sources.rest.pagination.page import (
    PageRequest,
    PageResponse,
    add_params,
    is_absent,
    refuse_value,
    set_last_param,
    take_params,
)
from sync_runner.transport.messages import Request


@dataclass(frozen=True)
class CursorPages:
    """Follows a token."""

    spec: CursorPagination

    @property
    def paths(self) -> Sequence[str]:
        """The token's."""
        return (self.spec.cursor_path,)

    @property
    def fields(self) -> Sequence[str]:
        """The spec's name of it."""
        return ("cursorPath",)

    key = "cursor"

    @property
    def idle_pages_max(self) -> int:
        """The spec's own bound."""
        return self.spec.idle_pages_max

    @property
    def what(self) -> str:
        """The spec's fields that lead on."""
        return f"cursorPath {self.spec.cursor_path}, sent as {self.spec.cursor_param},"

    def build_first(self, request: Request) -> PageRequest:
        """The request without a token, or with the one that its address holds."""
        base, first = take_params(request.url, [self.spec.cursor_param])
        return PageRequest(request.at(add_params(base, list(first.items()))))

    def find_fault(self, sent: PageRequest, page: PageResponse) -> None:
        """Nothing can be checked."""

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        """The same request with the token of this page."""
        token = page.values[0]
        if is_absent(token):
            return None
        if token.kind not in ("string", "number"):
            raise refuse_value("cursorPath", self.spec.cursor_path, token, "a token")
        url = set_last_param(sent.request.url, self.spec.cursor_param, token.text)
        return PageRequest(sent.request.at(url))
