"""The same operations on a folder of this machine.

The client creates files by link and rename, so that they appear whole or not at all. It has no
conditional replacement; a file lock, which the kernel releases with the process, does the same for
processes of one machine.
"""

import fcntl
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore

from sync_runner.storage.failures import mapped
from sync_runner.storage.objects import ObjectStore, Stored

_TORN = re.compile(r".+#\d+")


@dataclass(frozen=True)
class FolderStore(ObjectStore):
    """A folder of this machine. Tags are digests of the content."""

    root: Path = Path()

    def find(self, path: str) -> Stored | None:
        """The object, or None."""
        stored = super().find(path)
        return None if stored is None else Stored(stored.data, _digest(stored.data))

    def create(self, path: str, data: bytes) -> str | None:
        """Writes the object unless there is one already."""
        return None if super().create(path, data) is None else _digest(data)

    def replace(self, path: str, data: bytes, *, tag: str) -> str | None:
        """Writes the object if it still has the content that `tag` is the digest of."""
        with self._locked(path):
            stored = self.find(path)
            if stored is None or stored.tag != tag:
                return None
            self.put(path, [data])
        return _digest(data)

    def delete(self, paths: Iterable[str]) -> None:
        """Removes files; missing ones are ignored."""
        for path in paths:
            with mapped(self.place, f"delete {path}"):
                (self.root / path).unlink(missing_ok=True)

    def delete_torn(self, *, before: float) -> None:
        """Removes the drafts, older than `before`, of writers that died before the rename."""
        with mapped(self.place, "remove drafts"):
            for file in self.root.rglob("*#*"):
                if _TORN.fullmatch(file.name) and file.stat().st_mtime < before:
                    file.unlink(missing_ok=True)

    @contextmanager
    def _locked(self, path: str) -> Iterator[None]:
        lock = (self.root / path).parent / ".lock"
        with mapped(self.place, f"lock {path}"):
            lock.parent.mkdir(parents=True, exist_ok=True)
            handle = lock.open("w")
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def open_folder(root: Path) -> FolderStore:
    """The folder, made if it is missing."""
    with mapped(f"folder {root}", "create files"):
        client = obstore.store.LocalStore(str(root), mkdir=True)
    return FolderStore(client=client, uri=root.as_uri(), place=f"folder {root}", root=root)
