"""The S3 server as a process of this machine, beside a cluster that somebody else runs."""

import contextlib
import json
import random
import socket
from collections.abc import Mapping
from pathlib import Path

from dev.localcluster import s3
from dev.localcluster.control import end_supervisor, request, start_supervisor
from dev.localcluster.errors import LocalClusterError

_INTERNAL = 10_000
_PORTS_FILE = "s3-ports.json"


def start_s3(home: Path, *, address: str) -> s3.S3Access:
    """A server on that address, held by a supervisor; `end_s3` ends both."""
    ports = pick_ports(address)
    (home / _PORTS_FILE).write_text(json.dumps(ports))
    access = s3.create_access(address, port=ports["s3"])
    argv = s3.build_weed_argv(home, access, address=address, ports=ports)
    start_supervisor(home)
    request(home, "start", name="weed", argv=argv)
    s3.create_bucket(access)
    return access


def end_s3(home: Path) -> None:
    """Ends it, and takes away the sockets that it leaves under names which hold its ports."""
    end_supervisor(home)
    with contextlib.suppress(FileNotFoundError):
        for part, port in json.loads((home / _PORTS_FILE).read_text()).items():
            name = f"seaweedfs-{part}-grpc-{port + _INTERNAL}.sock"
            (Path("/tmp") / name).unlink(missing_ok=True)


def pick_ports(address: str) -> Mapping[str, int]:
    """Neighbours that are free, and free again where the parts speak to each other."""
    for _ in range(100):
        first = random.randrange(20_000, 32_000)
        ports = {part: first + number for number, part in enumerate(s3.PORTS)}
        wanted = [port + offset for port in ports.values() for offset in (0, _INTERNAL)]
        if all(_is_free(address, port) for port in wanted):
            return ports
    raise LocalClusterError(f"no free ports for the S3 server on {address}")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
