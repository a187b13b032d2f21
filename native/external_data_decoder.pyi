"""Pages of JSON rows become Arrow batches, in one pass."""

import builtins

class DecodeError(ValueError):
    """A page that cannot be decoded; the decoder is as it was before.

    `kind` is one of not_json, truncated, empty, nothing, lone_object, map_of_rows, strangers,
    path_not_found, not_objects, too_deep, too_many_columns, too_large. `detail` names places, JSON
    types and keys, never a value of the body. `keys` are those that are there instead of rows, and
    what each holds: null, a boolean, false, a number, a string, an object, objects (a list of
    them), a list, empty.
    """

    kind: str
    detail: str
    keys: list[tuple[str, str]]

class ArrowBatch:
    """Rows for whoever speaks the Arrow PyCapsule interface: `pyarrow.record_batch(batch)`."""

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

class Decoder:
    """Gathers the rows of pages, as columns. Not for two threads at once."""

    def __init__(
        self,
        *,
        records_path: list[str],
        envelope: list[list[str]] = [],
        extract: list[list[str]] = [],
        structs: bool = False,
        proof: bool = False,
        nothing: bool = False,
        known: list[str] = [],
        overlaps: bool = False,
    ) -> None:
        """`records_path` leads to the rows in a body, `envelope` to values beside them.

        In both, a key that holds dots comes before the keys that the dots separate.

        `extract` leads to values inside a row that become columns of their own, named by the keys
        with dots between. With `structs` nested values become structs and lists where all values
        of a column allow it; else, and otherwise, they are JSON text. With `proof`
        only a list passes, or one object that `push` is told to take, and rows that share a field
        with those before: with `known`, or with what this decoder has seen. With `nothing` a body
        that holds nothing (no byte, null, an object or a list without members in the place of
        rows) is a page without rows all the same.
        """

    @property
    def rows(self) -> int:
        """Rows since the last flush."""

    @property
    def bytes(self) -> int:
        """Bytes of the pages since the last flush."""

    @property
    def fields(self) -> list[str]:
        """All columns of the run so far."""

    @property
    def replaced(self) -> list[tuple[str | None, int]]:
        """Characters that were not whole and became U+FFFD since the last flush, by column.

        Without a name: pieces of bodies that were not UTF-8.
        """

    def push(
        self, page: builtins.bytes, *, lone_object: bool = False, unless: int | None = None
    ) -> tuple[int, list[tuple[str, str]], int, bool, int]:
        """Takes a page: (rows, values, digest, repeated, overlap).

        A value of the envelope is what it is (missing, null, boolean, number, string, object,
        list) and its text as the body spells it, strings unescaped. The digest tells the text of
        the rows from that of others, 0 is no rows; rows with the digest `unless` are not added,
        which is `repeated`. With `overlaps`, the overlap is the number of first rows that ended
        the page before. With `lone_object` a page that is one object is one row, whatever its
        keys are. Raises DecodeError, and has done nothing then.
        """

    def flush(self) -> ArrowBatch:
        """All rows since the last flush. Columns and their types stay for the next ones."""
