"""The body contains the address of the next page, absolute or relative, with all its parameters.

Whether the address may be requested is decided by the transport.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from external_data_operator.api.sources.rest import NextUrlPagination

from sync_runner.sources.rest.pagination.page import (
    PageRequest,
    PageResponse,
    is_absent,
    refuse_value,
)
from sync_runner.transport.messages import Request

_PLAIN = re.compile(
    r"(https?://[A-Za-z0-9.:-]+)?(?:/[A-Za-z0-9_~-][A-Za-z0-9._~%-]*)+(?:\?[A-Za-z0-9._~%&=+:,-]+)?"
)
"""An address whose path is absolute and has nothing to resolve. The first group is its origin."""
_ORIGIN = re.compile("[^/]*//[^/?#]*")
"""What an address begins with, also one without a path."""


def join_address(base: str, link: str) -> str:
    """The address that a link on a page leads to. ValueError where it leads to none."""
    # Most links are plain, and resolving one takes longer than all else that a page costs here.
    plain = _PLAIN.fullmatch(link)
    if plain is None:
        return urljoin(base, link)
    origin = None if plain[1] else _ORIGIN.match(base)
    return link if origin is None else origin[0] + link


@dataclass(frozen=True)
class NextUrlPages:
    """Follows an address."""

    spec: NextUrlPagination

    @property
    def paths(self) -> Sequence[str]:
        """The address's."""
        return (self.spec.next_url_path,)

    @property
    def fields(self) -> Sequence[str]:
        """The spec's name of it."""
        return ("nextUrlPath",)

    key = "nextUrl"

    @property
    def idle_pages_max(self) -> int:
        """The spec's own bound."""
        return self.spec.idle_pages_max

    @property
    def what(self) -> str:
        """The spec's fields that lead on."""
        return f"nextUrlPath {self.spec.next_url_path}"

    def build_first(self, request: Request) -> PageRequest:
        """The stream's own request."""
        return PageRequest(request)

    def find_fault(self, sent: PageRequest, page: PageResponse) -> None:
        """Nothing can be checked."""

    def find_next(self, sent: PageRequest, page: PageResponse) -> PageRequest | None:
        """The address in this page; missing, null, empty or false: the end."""
        link = page.values[0]
        if is_absent(link):
            return None
        path = self.spec.next_url_path
        if link.kind != "string":
            raise refuse_value("nextUrlPath", path, link, "an address")
        try:
            # Spaces around an address are none of it, as in a browser.
            url = join_address(page.url or sent.request.url, link.text.strip(" "))
        except ValueError as error:
            raise refuse_value("nextUrlPath", path, link, "an address") from error
        return PageRequest(sent.request.at(url))
