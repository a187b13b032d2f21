"""The body holds the address of the next page, absolute or relative; it says everything, parameters
included.

Whether the address may be asked is the transport's to judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from external_data_operator.api.conditions import Reason
from external_data_operator.api.sources.rest import NextUrlPagination

from sync_runner.errors import ConfigurationError
from sync_runner.paginators.page import PageRequest, Value


@dataclass(frozen=True)
class NextUrlPages:
    """Follows an address."""

    spec: NextUrlPagination

    @property
    def paths(self) -> Sequence[str]:
        """The address's."""
        return (self.spec.next_url_path,)

    def build_first(self, url: str) -> PageRequest:
        """The stream's own address."""
        return PageRequest(url)

    def find_next(
        self,
        sent: PageRequest,
        values: Sequence[Value],
        rows: int,  # noqa: ARG002
    ) -> PageRequest | None:
        """The address in this page; missing, null, empty or false: the end."""
        link = values[0]
        if link is None or link is False or link == "":
            return None
        if not isinstance(link, str):
            raise self._unusable()
        try:
            return PageRequest(urljoin(sent.url, link))
        except ValueError as error:
            raise self._unusable() from error

    def guess_next(self, sent: PageRequest, values: Sequence[Value], rows: int) -> None:
        """Only the page itself knows."""

    def _unusable(self) -> ConfigurationError:
        message = f"nextUrlPath {self.spec.next_url_path} leads to something that is not an address"
        return ConfigurationError(Reason.INVALID_RESPONSE, message)
