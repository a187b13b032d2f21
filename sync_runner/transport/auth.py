"""The headers that let a request in. Read at the moment of use, so that a rotated Secret is
seen."""

import re
from collections.abc import Callable, Mapping

from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import SecretValue
from external_data_operator.api.sources.rest import RestAuth

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Credentials

_TOKEN = re.compile(r"[\x21-\x7e\x80-\xff]+(?: [\x21-\x7e\x80-\xff]+)*")

AuthHeaders = Callable[[], Mapping[str, str]]


def build_auth(auth: RestAuth | None, credentials: Credentials) -> AuthHeaders:
    """A function that reads the credentials anew at each call."""
    if auth is None:
        return dict
    return _KINDS[auth.key](auth, credentials)


def _build_bearer(auth: RestAuth, credentials: Credentials) -> AuthHeaders:
    assert auth.bearer is not None, "the union's key says that it is set"
    token = auth.bearer.token
    return lambda: {"Authorization": f"Bearer {_read_token(token, credentials)}"}


def _read_token(value: SecretValue, credentials: Credentials) -> str:
    """The credential without the line break that files end with."""
    token = credentials.secret(value).strip()
    if not _TOKEN.fullmatch(token):
        ref = value.secret_key_ref
        where = f"Secret {ref.name}, key {ref.key}" if ref else "the credential"
        what = "holds characters that no header may carry" if token else "is empty"
        raise ConfigurationError(Reason.CREDENTIALS_REJECTED, f"{where} {what}")
    return token


_KINDS: Mapping[str, Callable[[RestAuth, Credentials], AuthHeaders]] = {"bearer": _build_bearer}
