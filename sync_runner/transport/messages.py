"""HTTP messages as values: requests and responses."""

from typing import NamedTuple

Headers = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are sent."""
_UNFINISHED = frozenset({202, 205, 206, 207})
"""Accepted but not done, reset content, a part that was not requested, several responses in one."""


class Request(NamedTuple):
    """One request, without the headers that the connection and the client add."""

    method: str
    url: str
    headers: Headers = ()
    """Those of this request alone; they replace the client's own of the same name."""
    body: bytes = b""
    """JSON, unless a Content-Type among the headers says otherwise."""

    def at(self, url: str) -> "Request":
        """The same request at another address."""
        return Request(self.method, url, self.headers, self.body)

    def with_header(self, name: str, value: str) -> "Request":
        """The same request with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


class Response(NamedTuple):
    """A response that is whole by its framing. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    url: str = ""
    """The address after redirects; relative addresses in the body are resolved against it."""

    @property
    def is_good(self) -> bool:
        """Whether the status is a 2xx for a whole or an empty response."""
        return 200 <= self.status < 300 and self.status not in _UNFINISHED
