"""The interface of an authentication: it sees each request before it is sent, and each response
that is not good before any other code does.

So a key in the query or the body, a signature over the whole request, a nonce from a 401 and a
login after a redirect are each a file in `auths`, without a change of the client.
"""

from typing import Protocol

from sync_runner.transport.messages import Request, Response


class Auth(Protocol):
    """Authenticates requests to one origin. Its methods may be called by several threads."""

    @property
    def is_static(self) -> bool:
        """Whether it only adds headers, which are the same for each request until a challenge was
        answered. The client then builds them once."""

    def prepare(self, request: Request) -> Request:
        """The request with its authentication; raises RunError if that cannot be obtained.

        If the authentication is static, the request is empty and only the headers of the result
        are used. Otherwise it has all headers that the client would send except those of the
        connection, and its address is spelled as it will be sent, so that it can be signed.
        """

    def challenged(self, sent: Request, response: Response) -> bool:
        """Whether the same request, prepared again, may now be accepted. It is called with each
        response that is not good, at most once for a request.

        `sent` has the headers of its preparation: a token that another thread has renewed since is
        worth another attempt, the current one is not.
        """


class NoAuth:
    """The source requires no authentication."""

    is_static = True

    def prepare(self, request: Request) -> Request:
        """The request as it is."""
        return request

    def challenged(self, sent: Request, response: Response) -> bool:  # noqa: ARG002
        """The next response would not differ."""
        return False
