"""One folder of objects: read, put, create once, replace if unchanged, list, delete.

A put of several chunks is one request, so that nothing half-written is ever visible and nothing is
left behind by a process that dies in the middle. Whoever needs to know whether a conditional put
happened compares what is there with what it meant to put: an answer may be lost on its way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from sync_runner.storage.failures import FAILURES, explain, mapped

_STALE_READS_MAX = 4
_DELETE_BATCH = 500


@dataclass(frozen=True)
class Patience:
    """How long to try before giving up."""

    attempts: int = 8
    first_wait_s: float = 0.1
    longest_wait_s: float = 5.0
    total_s: float = 90.0
    connect_s: float = 5.0
    request_s: float = 120.0
    """Bound of one request, its body included."""


@dataclass(frozen=True)
class Stored:
    """An object's content, and the tag of that version."""

    data: bytes
    tag: str


@dataclass(frozen=True)
class ObjectInfo:
    """What a listing says. `modified` is in seconds since the epoch."""

    path: str
    size: int
    modified: float


@dataclass(frozen=True)
class ObjectStore:
    """A folder in a bucket. Paths are relative to it; every method raises RunError."""

    client: Any
    uri: str
    place: str
    """The bucket or folder, for people."""
    options: dict[str, str] = field(default_factory=dict, repr=False)
    """The same connection in the words of other clients of the table."""

    def find(self, path: str) -> Stored | None:
        """The object, or None."""
        try:
            result = obstore.get(self.client, path)
            return Stored(bytes(result.bytes()), result.meta["e_tag"] or "")
        except FAILURES as error:
            if self._is_absent(error):
                return None
            raise explain(error, self.place, f"read {path}") from error

    def read_range(self, path: str, *, start: int, length: int) -> memoryview | None:
        """Some bytes of an object, as far as it has them, or None where there is no such object."""
        try:
            return memoryview(obstore.get_range(self.client, path, start=start, length=length))
        except FAILURES as error:
            if self._is_absent(error):
                return None
            if self._is_beyond(error):
                return memoryview(b"")
            raise explain(error, self.place, f"read {path}") from error

    def exists(self, path: str) -> bool:
        """Whether there is such an object, asked of that object and not of a listing."""
        try:
            obstore.head(self.client, path)
        except FAILURES as error:
            if self._is_absent(error):
                return False
            raise explain(error, self.place, f"look up {path}") from error
        return True

    def put(self, path: str, chunks: Sequence[bytes]) -> None:
        """Writes the object, whatever was there."""
        with mapped(self.place, f"write {path}"):
            obstore.put(self.client, path, list(chunks), use_multipart=False)

    def create(self, path: str, data: bytes) -> str | None:
        """Writes the object unless there is one already; its tag, or None if another was first."""
        return self._put_if(path, data, "create")

    def replace(self, path: str, data: bytes, *, tag: str) -> str | None:
        """Writes the object if it still is the version `tag`; its new tag, or None if it is
        another by now.
        """
        return self._put_if(path, data, {"e_tag": tag})

    def delete(self, paths: Iterable[str]) -> None:
        """Removes objects; those that are gone already do no harm."""
        left = list(paths)
        with mapped(self.place, "delete objects"):
            for first in range(0, len(left), _DELETE_BATCH):
                obstore.delete(self.client, left[first : first + _DELETE_BATCH])

    def list(self, folder: str) -> list[ObjectInfo]:
        """All objects below a folder, in the order of their paths."""
        with mapped(self.place, f"list {folder}"):
            found = obstore.list(self.client, folder).collect()
        infos = [ObjectInfo(o["path"], o["size"], o["last_modified"].timestamp()) for o in found]
        return sorted(infos, key=lambda info: info.path)

    def delete_torn(self, *, before: float) -> None:
        """Removes what writers that died left half-written; a bucket never shows such a thing."""

    def _put_if(self, path: str, data: bytes, mode: Any) -> str | None:
        try:
            done = obstore.put(self.client, path, data, mode=mode)
            return done["e_tag"] or ""
        except (AlreadyExistsError, PreconditionError):
            return self._find_own(path, data)
        except FAILURES as error:
            if self._is_conflict(error) or self._is_absent(error):
                return self._find_own(path, data)
            raise explain(error, self.place, f"write {path}") from error

    def _find_own(self, path: str, data: bytes) -> str | None:
        """The tag, if the refused put was our own, whose first answer was lost; the store may
        lag behind.
        """
        for _ in range(_STALE_READS_MAX):
            stored = self.find(path)
            if stored is not None and stored.data == data:
                return stored.tag
        return None

    @staticmethod
    def _is_absent(error: Exception) -> bool:
        return isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error)

    @staticmethod
    def _is_beyond(error: Exception) -> bool:
        """Whether the object ends before the range begins."""
        return "status code: 416" in str(error) or "range was invalid" in str(error)

    @staticmethod
    def _is_conflict(error: Exception) -> bool:
        return "status code: 409" in str(error)
