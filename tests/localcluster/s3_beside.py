"""The S3 server as a process of this machine, beside a cluster that somebody else runs."""

from pathlib import Path

from tests.localcluster import s3
from tests.localcluster.control import request, start_supervisor


def start_s3(home: Path, *, address: str) -> s3.S3Access:
    """A server on that address, held by a supervisor that `end_supervisor` ends."""
    access = s3.create_access(address)
    argv = s3.build_weed_argv(home, access, address=address)
    start_supervisor(home)
    request(home, "start", name="weed", argv=argv)
    s3.create_bucket(access)
    return access
