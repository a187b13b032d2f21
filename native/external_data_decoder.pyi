"""Pages of JSON rows become Arrow batches, in one pass."""

import builtins

class DecodeError(ValueError):
    """A page that cannot be decoded; the decoder is as it was before.

    `kind` is one of not_json, truncated, path_not_found, not_objects, too_deep, too_many_columns,
    too_large. `detail` names places, JSON types and keys, never a value of the body.
    """

    kind: str
    detail: str

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
    ) -> None:
        """`records_path` leads to the rows in a body, `envelope` to values beside them.

        `extract` leads to values inside a row that become columns of their own, named by the keys
        with dots between. With `structs` nested values become structs and lists where all values
        of a column allow it; else, and otherwise, they are JSON text.
        """

    @property
    def rows(self) -> int:
        """Rows since the last flush."""

    @property
    def bytes(self) -> int:
        """Bytes of the pages since the last flush."""

    def push(self, page: builtins.bytes) -> tuple[int, list[str | int | float | bool | None]]:
        """Rows of this page, and the envelope's values.

        Raises DecodeError, and has done nothing then.
        """

    def flush(self) -> ArrowBatch:
        """All rows since the last flush. Columns and their types stay for the next ones."""
