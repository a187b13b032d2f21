"""Runs every test: one pytest run, behind a first cluster that builds whatever is not built yet.
The readers' environment is installed before it, too.

No test's own time limit then counts a build of several minutes. Anything given on the command line
goes to pytest.
"""

import os
import subprocess
import sys

from dev.environments import READERS, make_environment
from dev.localcluster.cluster import LocalCluster
from dev.localcluster.errors import LocalClusterError


def main() -> int:
    """Builds what the tests need, then runs them; returns pytest's exit status."""
    try:
        _build_what_is_missing()
    except LocalClusterError as error:
        print(error, file=sys.stderr)
        return 1
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "not soak and not spark",
        "--durations=15",
        *sys.argv[1:],
    ]
    return subprocess.run(tests, check=False).returncode


def _build_what_is_missing() -> None:
    make_environment(READERS)
    cluster = LocalCluster.up(f"first-{os.getpid()}")
    try:
        cluster.images()
    finally:
        cluster.down()


if __name__ == "__main__":
    sys.exit(main())
