"""Where expensive things are kept between clusters: binaries, base images, the state of what runs.

Everything lives in the user's cache directory, never in the repository. What is built there is
named by a hash of what it is made from, appears in one rename, and is built by one process at a
time.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dev.localcluster.announce import announce


def cache_root() -> Path:
    """Our part of `EXTERNAL_DATA_CACHE`, or of the user's cache directory; made if missing."""
    own = os.environ.get("EXTERNAL_DATA_CACHE")
    users = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(own) if own else Path(users) / "external-data-operator"
    root = root.absolute() / "localcluster"
    root.mkdir(parents=True, exist_ok=True)
    return root


def build_key(parts: Iterable[bytes]) -> str:
    """Twelve characters that change with any of the parts, or with where one ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:12]


def file_parts(root: Path, files: Iterable[Path]) -> Iterator[bytes]:
    """Names (under `root`) and contents, for a key."""
    for file in sorted(files):
        yield str(file.relative_to(root)).encode()
        yield file.read_bytes()


@contextlib.contextmanager
def locked(name: str, *, waiting: str) -> Iterator[None]:
    """Holds the lock of that name; says what it waits for when another process holds it."""
    path = cache_root() / "locks" / name
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce(f"waiting for another process: {waiting}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def find_or_build(name: str, build: Callable[[Path], None], *, waiting: str) -> Path:
    """The folder of that name in the cache; `build` fills it when it is not there yet."""
    folder = cache_root() / name
    if folder.exists():
        return folder
    with locked(name, waiting=waiting):
        if folder.exists():
            return folder
        draft = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=cache_root()))
        try:
            build(draft)
            draft.chmod(0o755)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return folder
