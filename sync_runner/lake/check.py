"""Checks a destination with test objects in the store, which are removed afterwards.

Writing each row exactly once requires a store that refuses the second of two conditional puts.
"""

import secrets

from external_data_operator.api.conditions import Reason

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.storage import ObjectStore

_FOLDER = "_staging"


def check_destination(store: ObjectStore) -> None:
    """Puts, reads, lists and deletes a small object; raises RunError if one of them fails."""
    path = f"{_FOLDER}/check-{secrets.token_hex(8)}"
    first, second = (f"{number} {path}".encode() for number in ("first", "second"))
    try:
        tag = store.create(path, first)
        if tag is None or store.create(path, second) is not None:
            raise _unsupported(store, "If-None-Match")
        if store.replace(path, second, tag=tag) is None:
            raise _unsupported(store, "If-Match")
        if store.replace(path, first, tag=tag) is not None:
            raise _unsupported(store, "If-Match")
        _check_reads(store, path, second)
    finally:
        store.delete([path])


def _check_reads(store: ObjectStore, path: str, data: bytes) -> None:
    stored = store.find(path)
    if stored is None or stored.data != data or path not in {o.path for o in store.list(_FOLDER)}:
        message = (
            f"The {store.place} did not return an object that was just written. If this persists, "
            "check the object store."
        )
        raise RetryableError(Reason.STORAGE_UNAVAILABLE, message)


def _unsupported(store: ObjectStore, header: str) -> ConfigurationError:
    message = (
        f"The {store.place} ignores {header}, so that two runs could overwrite each other. Use an "
        "object store that supports conditional puts."
    )
    return ConfigurationError(Reason.CONDITIONAL_PUT_UNSUPPORTED, message)
