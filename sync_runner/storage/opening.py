"""From a plan's target to an open store. No request is sent here.

The Delta library has a client of its own for the log; both get the same address, credentials and
timeouts.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from external_data_operator.api.plan import TableTarget
from external_data_operator.api.source import S3Destination
from obstore.store import S3Store

from sync_runner.protocols import Credentials
from sync_runner.storage.failures import mapped
from sync_runner.storage.folders import open_folder
from sync_runner.storage.objects import ObjectStore, Patience

if TYPE_CHECKING:
    from obstore.store import S3Config

_KEYS = {
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
    "AWS_SESSION_TOKEN": "session_token",
}


def open_store(
    target: TableTarget, credentials: Credentials, *, patience: Patience | None = None
) -> ObjectStore:
    """The table's folder in its bucket, or on this machine."""
    if target.s3 is None:
        assert target.file is not None, "a target has a bucket or a folder"
        return open_folder(Path(target.file.path).absolute() / target.path)
    ref = target.s3.credentials_secret_ref
    keys = credentials.keys_of(ref.name) if ref is not None else {}
    return _open_bucket(target.s3, target, keys, patience or Patience())


def _open_bucket(
    s3: S3Destination, target: TableTarget, keys: Mapping[str, str], patience: Patience
) -> ObjectStore:
    config = {word: keys[key] for key, word in _KEYS.items() if keys.get(key)}
    if s3.endpoint:
        config["endpoint"] = s3.endpoint.rstrip("/")
    with mapped(f"bucket {s3.bucket}", "open a table's folder"):
        client = S3Store(
            s3.bucket,
            config=cast("S3Config", {**config, "region": s3.region}),
            prefix="/".join(part for part in (s3.prefix, target.path) if part),
            client_options={
                "allow_http": s3.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=patience.connect_s),
                "timeout": timedelta(seconds=patience.request_s),
            },
            retry_config={
                "max_retries": patience.attempts - 1,
                "retry_timeout": timedelta(seconds=patience.total_s),
                "backoff": {
                    "init_backoff": timedelta(seconds=patience.first_wait_s),
                    "max_backoff": timedelta(seconds=patience.longest_wait_s),
                    "base": 2,
                },
            },
        )
    options = _options(s3, config, patience)
    return ObjectStore(client=client, uri=target.uri, place=f"bucket {s3.bucket}", options=options)


def _options(s3: S3Destination, config: Mapping[str, str], patience: Patience) -> dict[str, str]:
    """The same connection as a table's storage options."""
    return {
        **{f"aws_{word}": value for word, value in config.items()},
        "aws_region": s3.region,
        "allow_http": str(s3.endpoint.startswith("http://")).lower(),
        "connect_timeout": f"{patience.connect_s * 1000:.0f}ms",
        "timeout": f"{patience.request_s * 1000:.0f}ms",
        "max_retries": str(patience.attempts - 1),
        "retry_timeout": f"{patience.total_s * 1000:.0f}ms",
        "backoff_config.init_backoff": f"{patience.first_wait_s * 1000:.0f}ms",
        "backoff_config.max_backoff": f"{patience.longest_wait_s * 1000:.0f}ms",
    }
