"""What a client asks of an authentication: it sees each request before it goes, and each answer
that is not good before anybody else does.

So a key in the query or the body, a signature over all that is sent, a nonce that a 401 brings and
a login that a redirect asks for are each a file in `auths`, and no concern of the client.
"""

from typing import Protocol

from sync_runner.transport.messages import Request, Response


class Auth(Protocol):
    """How requests to one origin are let in. Its methods may be called by several threads."""

    @property
    def is_static(self) -> bool:
        """Whether it adds nothing but headers, which are the same for each request until a
        challenge was answered. The client then builds them once."""

    def prepare(self, request: Request) -> Request:
        """The request with what lets it in; raises RunError where that cannot be had.

        If the authentication is static, the request is empty and only the headers of the result
        count. Else it has all headers that the client would send, but those of the connection, and
        its address is spelled as it will be sent, so that it can be signed.
        """

    def challenged(self, sent: Request, response: Response) -> bool:
        """Whether the same request, prepared again, may now be let in. It is called with each
        answer that is not a good one, at most once for a request.

        `sent` has the headers of its preparation, so that a request which another thread's answer
        has made out of date is told from one that was refused as it would be sent now.
        """


class NoAuth:
    """Nothing is asked for."""

    is_static = True

    def prepare(self, request: Request) -> Request:
        """The request as it is."""
        return request

    def challenged(self, sent: Request, response: Response) -> bool:  # noqa: ARG002
        """Another answer would not differ."""
        return False
