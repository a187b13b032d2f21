"""A token in the body, sent back as a query parameter.

Missing, null, the empty string and false end the walk. The number 0 is a token like any other:
sources exist that begin to count there, and to end at it would lose their rows; where 0 means the
end, the walk comes back to a token that it has seen and the loop guard says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import CursorPagination

from sync_runner.errors import ConfigurationError
from sync_runner.paginators.page import PageRequest, Value, add_params, drop_params


@dataclass(frozen=True)
class CursorPages:
    """Follows a token."""

    spec: CursorPagination

    @property
    def paths(self) -> Sequence[str]:
        """The token's."""
        return (self.spec.cursor_path,)

    def build_first(self, url: str) -> PageRequest:
        """The request without a token."""
        base = drop_params(url, [self.spec.cursor_param])
        return PageRequest(base, base=base)

    def find_next(
        self,
        sent: PageRequest,
        values: Sequence[Value],
        rows: int,  # noqa: ARG002
    ) -> PageRequest | None:
        """The same request with the token of this page."""
        token = values[0]
        if token is None or token is False or token == "":
            return None
        if token is True:
            message = f"cursorPath {self.spec.cursor_path} leads to true, which is not a token"
            raise ConfigurationError(Reason.INVALID_RESPONSE, message)
        url = add_params(sent.base, [(self.spec.cursor_param, str(token))])
        return PageRequest(url, base=sent.base)

    def guess_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """Only the page itself knows its token."""
