"""A kind of source for tests: a folder of ledgers, of which only a check can tell which there are.

A ledger is a file `<name>.json` with its rows, its key and its cursor. The kind is added to the
tables of both processes for as long as `installed` holds.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pyarrow as pa
from external_data_operator.api.base import SpecModel
from external_data_operator.api.cursors import CursorType, IncrementalField
from external_data_operator.api.plan import Plan

from sync_runner.protocols import Batch, ReadRequest, Token
from sync_runner.records.sample import Sample
from sync_runner.sources import SourceKind
from tests.fakes import kinds
from tests.fakes.kinds import FakeKind


class LedgerSource(SpecModel):
    """A folder of ledgers."""

    path: str


class _Adapter:
    def declare_streams(self, source: LedgerSource) -> None:
        return None

    def find_doubts(self, source: LedgerSource) -> tuple[()]:
        return ()

    def narrow(self, source: LedgerSource, streams: Collection[str]) -> LedgerSource:
        return source

    def has_feed(self, source: LedgerSource) -> bool:
        return False


class _Probe:
    def __init__(self, plan: Plan, **_: Any) -> None:
        spec = plan.of_kind(LedgerSource)
        assert spec is not None
        self._folder = Path(spec.path)

    def read_samples(self) -> Iterator[Sample]:
        for file in sorted(self._folder.glob("*.json")):
            ledger = json.loads(file.read_text())
            cursor = ledger.get("cursor")
            yield Sample(
                name=file.stem,
                primary_key=ledger.get("key", []),
                cursor=cursor and IncrementalField(name=cursor, type=CursorType.INTEGER),
                records=pa.RecordBatch.from_pylist(ledger["rows"]),
            )


class _Stream:
    def __init__(self, plan: Plan, **_: Any) -> None:
        spec = plan.of_kind(LedgerSource)
        assert spec is not None
        self._file = Path(spec.path) / f"{plan.only.sync.stream}.json"

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        rows = json.loads(self._file.read_text())["rows"]
        yield Batch(pa.RecordBatch.from_pylist(rows), next=None)

    def confirm(self, token: Token) -> None:
        """A file forgets nothing."""


LEDGER = FakeKind("ledger", LedgerSource, _Adapter(), SourceKind(_Stream, _Probe))


def installed() -> AbstractContextManager[None]:
    """Both processes know the kind."""
    return kinds.installed(LEDGER)


def write_ledger(folder: Path, name: str, rows: list[dict[str, Any]], **more: Any) -> None:
    """A ledger with these rows; `key` and `cursor` are what its catalogue states."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"rows": rows, **more}))
