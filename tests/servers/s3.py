"""A real S3 server for tests: SeaweedFS on loopback, on ports of its own, so that several may run
at once.

Its processes find each other through sockets in `/tmp` that are named by port alone, whatever the
address.
"""

import json
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from dev.localcluster.s3 import S3Access, create_access, create_bucket, find_or_install_weed

HOST = "127.0.0.1"
_STOP_S = 10.0
_GRPC_OFFSET = 10_000
_PARTS = ("master", "volume", "filer", "s3")


@contextmanager
def running_s3(home: Path, *, checks_keys: bool = True) -> Iterator[S3Access]:
    """Starts the server with its data under `home`, makes its bucket, and ends it again.

    One that does not check keys takes requests whose signature no longer fits, as a proxy leaves
    them that changes headers.
    """
    home.mkdir(parents=True, exist_ok=True)
    ports = _pick_ports()
    access = replace(create_access(HOST), endpoint=f"http://{HOST}:{ports['s3']}")
    with (home / "weed.log").open("wb") as log:
        argv = _build_argv(home, access, ports, checks_keys=checks_keys)
        server = subprocess.Popen(argv, stdout=log, stderr=log, cwd=home)
        try:
            create_bucket(access)
            yield access
        finally:
            _stop(server)


def _pick_ports() -> dict[str, int]:
    """Four neighbours that are free, and free again 10,000 higher, where the same parts speak
    gRPC."""
    dice = random.Random(os.urandom(8))
    for _ in range(100):
        first = dice.randrange(20_000, 32_000)
        if all(_is_free(first + i + o) for i in range(len(_PARTS)) for o in (0, _GRPC_OFFSET)):
            return {part: first + i for i, part in enumerate(_PARTS)}
    raise RuntimeError("no free ports for the S3 server")


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _build_argv(
    home: Path, access: S3Access, ports: dict[str, int], *, checks_keys: bool
) -> list[str]:
    data = home / "s3"
    data.mkdir(exist_ok=True)
    identity = {
        "name": "lake",
        "credentials": [{"accessKey": access.access_key, "secretKey": access.secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    keys = home / "s3.json"
    keys.write_text(json.dumps({"identities": [identity]}))
    return [
        *(str(find_or_install_weed()), "server"),
        *(f"-dir={data}", f"-ip={HOST}", f"-ip.bind={HOST}"),
        *(f"-{part}.port={port}" for part, port in ports.items()),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=0"),
        *("-filer", "-s3", "-s3.autoCreateBucket=false"),
        *([f"-s3.config={keys}"] if checks_keys else []),
        *("-s3.port.iceberg=0", "-s3.port.lance=0"),
        *(f"-filer.localSocket={data}/f.sock", f"-s3.localSocket={data}/s.sock"),
    ]


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
