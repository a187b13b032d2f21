"""Runs every test: one pytest run, after saying what will be built first and how long that takes.

Anything given on the command line goes to pytest.
"""

import subprocess
import sys


def main() -> int:
    """Builds what the tests need, then runs them; returns pytest's exit status."""
    build = [sys.executable, "-m", "tests.localcluster", "build"]
    if subprocess.run(build, check=False).returncode:
        return 1
    tests = [sys.executable, "-m", "pytest", "-m", "not soak", "--durations=15", *sys.argv[1:]]
    return subprocess.run(tests, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
