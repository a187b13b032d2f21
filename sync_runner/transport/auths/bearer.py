"""A token in the Authorization header. It is read when the client opens and again after a 401, so
that a run continues after its Secret was rotated."""

import re

from external_data_operator.api.auth import BearerAuth
from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import SecretValue

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Credentials
from sync_runner.transport.auths.context import AuthContext
from sync_runner.transport.messages import Request, Response

_TOKEN = re.compile(r"[\x21-\x7e\x80-\xff]+(?: [\x21-\x7e\x80-\xff]+)*")
_UNAUTHORIZED = 401


class Bearer:
    """`Authorization: Bearer …`."""

    is_static = True

    def __init__(self, spec: BearerAuth, context: AuthContext) -> None:
        """Reads the token. Raises ConfigurationError."""
        self._spec = spec
        self._credentials = context.credentials
        self._value = self._read()

    def prepare(self, request: Request) -> Request:
        """The request with the token."""
        return request.with_header("Authorization", self._value)

    def challenged(self, sent: Request, response: Response) -> bool:
        """Reads the token again after a 401; a new one is worth another request."""
        if response.status != _UNAUTHORIZED:
            return False
        self._value = self._read()
        return ("Authorization", self._value) not in sent.headers

    def _read(self) -> str:
        return f"Bearer {_read_token(self._spec.token, self._credentials)}"


def _read_token(value: SecretValue, credentials: Credentials) -> str:
    """The credential without the line break that files end with."""
    token = credentials.secret(value).strip()
    if not _TOKEN.fullmatch(token):
        ref = value.secret_key_ref
        where = f"Secret {ref.name}, key {ref.key}" if ref else "The credential"
        what = "contains characters that are not allowed in a header" if token else "is empty"
        message = f"{where}, {what}. Correct the Secret."
        raise ConfigurationError(Reason.CREDENTIALS_REJECTED, message)
    return token
