"""The authentications of requests over HTTP, of every kind of source that is asked so."""

from external_data_operator.api.base import SpecModel, UnionModel
from external_data_operator.api.meta import SecretValue


class BearerAuth(SpecModel):
    """`Authorization: Bearer …`."""

    token: SecretValue
    """The token."""


class HttpAuth(UnionModel):
    """How requests are let in; exactly one key."""

    bearer: BearerAuth | None = None
    """A bearer token."""
