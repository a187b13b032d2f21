"""Where the benchmarks keep what is expensive to make: data sets. The peers' environments are those
of `dev.environments`.

All of it lies in the user's cache directory, is named by what it is made from, and appears in one
rename, so that an interrupted run leaves nothing that looks finished.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from dev.environments import cache_root, make_environment

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "benchmarks" / "results"


def bench_root() -> Path:
    """`bench` in our part of the user's cache directory; made if missing."""
    root = cache_root() / "bench"
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


def find_runner_python() -> Path:
    """The interpreter with exactly what the runner's image holds.

    The limit and delta-rs use it as well: what else is installed changes how long imports take.
    """
    return make_environment(REPOSITORY / "requirements" / "runner.txt")
