"""The kinds of authentication: one file each, and the table of them.

A new one: its spec in the API's union, its file here, one line in `AUTHS`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from external_data_operator.api.auth import HttpAuth

from sync_runner.transport.auth import Auth, NoAuth
from sync_runner.transport.auths.bearer import Bearer
from sync_runner.transport.auths.context import AuthContext

AUTHS: Mapping[str, Callable[[Any, AuthContext], Auth]] = {
    "bearer": Bearer,
}
"""By the field of the API's union: what builds the authentication from the field's value."""


def build_auth(spec: HttpAuth | None, context: AuthContext) -> Auth:
    """The authentication that the spec names; reads the credentials. Raises ConfigurationError."""
    if spec is None:
        return NoAuth()
    key = next(key for key in AUTHS if getattr(spec, key) is not None)
    return AUTHS[key](getattr(spec, key), context)
