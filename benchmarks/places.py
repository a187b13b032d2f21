"""Where the benchmarks keep what is expensive to make: data sets and the peers' environments.

All of it lies in the user's cache directory, is named by what it is made from, and appears in one
rename, so that an interrupted run leaves nothing that looks finished.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"


def bench_root() -> Path:
    """`bench` below `EXTERNAL_DATA_CACHE`, or below our part of the user's cache directory; made if
    missing.
    """
    own = os.environ.get("EXTERNAL_DATA_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = (Path(own) if own else Path(users) / "external-data-operator").absolute() / "bench"
    root.mkdir(parents=True, exist_ok=True)
    return root


def find_or_make(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder of that name; `make` is given a draft's path when there is none yet."""
    final = bench_root() / name
    if final.exists():
        return final
    with tempfile.TemporaryDirectory(prefix=".making-", dir=bench_root()) as folder:
        draft = Path(folder) / name
        make(draft)
        try:
            draft.rename(final)
        except OSError:  # another process was first
            if not final.exists():
                raise
    return final


def make_venv(requirements: Path) -> Path:
    """The interpreter of an environment of its own with these pinned requirements; made once."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    venv = bench_root() / f"venv-{requirements.stem}-{key}"
    python, ready = venv / "bin" / "python", venv / ".ready"
    if not ready.exists():
        print(f"installing {requirements.name} (once) ...", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(requirements)], check=True)
        ready.touch()
    return python


def find_runner_python() -> Path:
    """The interpreter with exactly what the runner's image holds.

    The limit and delta-rs use it as well: what else is installed changes how long imports take.
    """
    return make_venv(REPOSITORY / "requirements" / "runner.txt")
