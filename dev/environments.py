"""Python environments of programs that never share a process with ours: readers of the tables,
Spark, the benchmarks' peers.

Their requirements contradict ours (DuckDB's Delta extension follows DuckDB by months, Daft wants an
older PyArrow), so each is installed from a lock file of its own, once, outside the repository.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
READERS = REQUIREMENTS / "readers.txt"
SPARK = REQUIREMENTS / "spark.txt"


def cache_root() -> Path:
    """`EXTERNAL_DATA_CACHE`, or our part of the user's cache directory; made if missing."""
    own = os.environ.get("EXTERNAL_DATA_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = (Path(own) if own else Path(users) / "external-data-operator").absolute()
    root.mkdir(parents=True, exist_ok=True)
    return root


def make_environment(requirements: Path) -> Path:
    """The interpreter of an environment with exactly these pinned requirements."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache_root() / "environments" / f"{requirements.stem}-{key}"
    python, ready = home / "bin" / "python", home / ".ready"
    home.parent.mkdir(exist_ok=True)
    with _locked(home.with_suffix(".lock")):
        if not ready.exists():
            print(f"Installing {requirements.name} (once) ...", file=sys.stderr, flush=True)
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
            _install(python, requirements)
            ready.touch()
    return python


def _install(python: Path, requirements: Path) -> None:
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--no-config"]
    exact = ["--require-hashes", "--no-deps", "--compile-bytecode", "-r", str(requirements)]
    subprocess.run([*uv, "--python", str(python), *exact], check=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two test runs at once install it once."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
