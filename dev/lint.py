"""Runs every check that reads code without running it, and says which one failed."""

import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = (
    ("style", ["ruff", "check", "."]),
    ("layout", ["ruff", "format", "--check", "."]),
    ("types", ["mypy"]),
    ("import contracts", ["lint-imports"]),
)


def main() -> int:
    """Returns 1 if a check failed."""
    failed = [name for name, command in CHECKS if not _passes(name, command)]
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed", flush=True)
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    print(f"== {name}", flush=True)
    program = str(BIN / command[0])
    return subprocess.run([program, *command[1:]], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
