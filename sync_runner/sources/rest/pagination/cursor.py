"""A token in the body, sent back as a query parameter, character by character.

Missing, null, the empty string and false end the walk. The number 0 is a token like any other:
sources exist that begin to count there, and to end at it would lose their rows; where 0 means the
end, the walk comes back to a token that it has seen and the loop guard says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.sources.rest import CursorPagination

from sync_runner.records.decode import Value
from sync_runner.sources.rest.pagination.page import (
    PageRequest,
    add_params,
    is_absent,
    refuse_value,
    take_params,
)


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

    counts_rows = False

    def build_first(self, url: str) -> PageRequest:
        """The request without a token, or with the one that the address holds."""
        base, first = take_params(url, [self.spec.cursor_param])
        return PageRequest(add_params(base, list(first.items())), base=base)

    def find_fault(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """Nothing is known of a page before it came."""

    def find_next(
        self,
        sent: PageRequest,
        values: Sequence[Value],
        rows: int,  # noqa: ARG002
    ) -> PageRequest | None:
        """The same request with the token of this page."""
        token = values[0]
        if is_absent(token):
            return None
        if token.kind not in ("string", "number"):
            raise refuse_value("cursorPath", self.spec.cursor_path, token, "a token")
        url = add_params(sent.base, [(self.spec.cursor_param, token.text)])
        return PageRequest(url, base=sent.base)

    def guess_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """Only the page itself knows its token."""

    def step(self, sent: PageRequest, skip: int) -> None:
        """Rows are not counted."""
