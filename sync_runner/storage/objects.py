"""One folder of objects: read, put, create once, replace if unchanged, list, delete.

A put of several chunks is one request, so that no incomplete object is ever visible or left over by
a process that dies in the middle. A conditional put that is refused compares the stored object with
its own: the response to an earlier attempt may have been lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError

from sync_runner.storage.failures import STORE_FAILURES, explain, mapped

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
    """An object in a listing. `modified` is in seconds since the epoch."""

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
    """The same connection as options of the Delta library."""

    def find(self, path: str) -> Stored | None:
        """The object, or None."""
        try:
            result = obstore.get(self.client, path)
            return Stored(bytes(result.bytes()), result.meta["e_tag"] or "")
        except STORE_FAILURES as error:
            if self._is_absent(error):
                return None
            raise explain(error, self.place, f"read {path}") from error

    def read_range(self, path: str, *, start: int, length: int) -> memoryview | None:
        """The bytes of an object that exist in this range; None if there is no such object."""
        try:
            return memoryview(obstore.get_range(self.client, path, start=start, length=length))
        except STORE_FAILURES as error:
            if self._is_absent(error):
                return None
            if self._is_beyond(error):
                return memoryview(b"")
            raise explain(error, self.place, f"read {path}") from error

    def exists(self, path: str) -> bool:
        """Whether the object exists, by a request for the object and not by a listing."""
        try:
            obstore.head(self.client, path)
        except STORE_FAILURES as error:
            if self._is_absent(error):
                return False
            raise explain(error, self.place, f"look up {path}") from error
        return True

    def put(self, path: str, chunks: Sequence[bytes]) -> None:
        """Writes the object, and replaces an existing one."""
        with mapped(self.place, f"write {path}"):
            obstore.put(self.client, path, list(chunks), use_multipart=False)

    def create(self, path: str, data: bytes) -> str | None:
        """Writes the object unless it exists; returns its tag, or None if it exists."""
        return self._put_if(path, data, "create")

    def replace(self, path: str, data: bytes, *, tag: str) -> str | None:
        """Writes the object if it is still the version `tag`; returns its new tag, or None if it
        has changed.
        """
        return self._put_if(path, data, {"e_tag": tag})

    def delete(self, paths: Iterable[str]) -> None:
        """Removes objects; missing ones are ignored."""
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
        """Removes incomplete files of writers that died; a bucket never contains any."""

    def _put_if(self, path: str, data: bytes, mode: Any) -> str | None:
        try:
            done = obstore.put(self.client, path, data, mode=mode)
            return done["e_tag"] or ""
        except (AlreadyExistsError, PreconditionError):
            return self._find_own(path, data)
        except STORE_FAILURES as error:
            if self._is_conflict(error) or self._is_absent(error):
                return self._find_own(path, data)
            raise explain(error, self.place, f"write {path}") from error

    def _find_own(self, path: str, data: bytes) -> str | None:
        """The tag, if an earlier attempt of this put succeeded and its response was lost; reads of
        the store may be stale.
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
