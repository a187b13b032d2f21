"""The authentications of HTTP requests, for every kind of source that uses HTTP."""

from external_data_operator.api.base import SpecModel, UnionModel
from external_data_operator.api.meta import SecretValue


class BearerAuth(SpecModel):
    """`Authorization: Bearer …`."""

    token: SecretValue
    """The token."""


class HttpAuth(UnionModel):
    """Authentication of requests. Exactly one key must be set."""

    bearer: BearerAuth | None = None
    """A bearer token."""
