"""The readers of a table, each behind one call: rows, with a condition or without.

Polars, delta-rs and its DataFusion are libraries of this process; DuckDB, ClickHouse and Daft
run in an environment of their own. None of them is told anything but the table's address.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, QueryBuilder

from sync_runner.storage import ObjectStore
from tests.readers.filters import CLICKHOUSE, COMPARE, DATAFUSION, DUCKDB, Where
from tests.readers.foreign import Foreign

Row = dict[str, Any]
_AWS = ("aws_endpoint", "aws_access_key_id", "aws_secret_access_key", "aws_region", "allow_http")


@dataclass(frozen=True)
class Address:
    """Where a table is, and how a bucket is opened."""

    uri: str
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, store: ObjectStore) -> "Address":
        """The address of an engine's table."""
        known = {name: store.options[name] for name in _AWS if name in (store.options or {})}
        return cls(store.uri, known)

    @property
    def path(self) -> str:
        """A local table's folder."""
        return self.uri.removeprefix("file://")

    @property
    def is_local(self) -> bool:
        return self.uri.startswith("file://")


class Reader(Protocol):
    """Reads tables."""

    name: str

    @property
    def version(self) -> str:
        """Of the reader's release."""
        ...

    def read(self, address: Address, where: Where | None = None) -> list[Row]:
        """The rows that pass, in any order."""
        ...

    def stop(self) -> None:
        """Ends what the reader started."""
        ...


class Polars:
    """`polars.scan_delta`."""

    name = "polars"
    version = pl.__version__

    def read(self, address: Address, where: Where | None = None) -> list[Row]:
        frame = pl.scan_delta(address.uri, storage_options=address.options or None)
        if where is not None:
            column = pl.col(where.column)
            frame = frame.filter(_apply(where, column, pl.lit(where.value)))
        return frame.collect().to_dicts()

    def stop(self) -> None: ...


class DeltaRs:
    """`deltalake`, whose data set takes each file's statistics as facts."""

    name = "deltalake"
    version = version("deltalake")

    def read(self, address: Address, where: Where | None = None) -> list[Row]:
        data = DeltaTable(address.uri, storage_options=address.options or None)
        dataset = data.to_pyarrow_dataset()
        expression = None
        if where is not None:
            type_ = dataset.schema.field(where.column).type
            value = None if where.value is None else pa.scalar(where.value, type_)
            expression = _apply(where, ds.field(where.column), value)
        rows: list[Row] = dataset.to_table(filter=expression).to_pylist()
        return rows

    def stop(self) -> None: ...


class DataFusion:
    """SQL by the DataFusion that deltalake brings along."""

    name = "datafusion"
    version = f"of deltalake {version('deltalake')}"

    def read(self, address: Address, where: Where | None = None) -> list[Row]:
        table = DeltaTable(address.uri, storage_options=address.options or None)
        sql = "SELECT * FROM t" + ("" if where is None else f" WHERE {where.sql(DATAFUSION)}")
        result = QueryBuilder().register("t", table).execute(sql).read_all()
        rows: list[Row] = pa.table(result).to_pylist()
        return rows

    def stop(self) -> None: ...


@dataclass
class Worker:
    """A reader in a process of its own."""

    name: str
    ask: Callable[[Foreign, Address, Where | None], list[Row]]
    _process: Foreign | None = None

    @property
    def process(self) -> Foreign:
        """Started at its first use."""
        if self._process is None:
            self._process = Foreign.start(self.name)
        return self._process

    @property
    def version(self) -> str:
        return self.process.version

    def read(self, address: Address, where: Where | None = None) -> list[Row]:
        return self.ask(self.process, address, where)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None


def _ask_duckdb(process: Foreign, address: Address, where: Where | None) -> list[Row]:
    sql = f"SELECT * FROM delta_scan('{address.uri}')"
    if where is not None:
        sql += f" WHERE {where.sql(DUCKDB)}"
    return process.ask(sql=sql, before=_duckdb_secret(address))


def _duckdb_secret(address: Address) -> list[str]:
    if address.is_local:
        return []
    options = address.options
    secret = {
        "TYPE": "s3",
        "KEY_ID": f"'{options['aws_access_key_id']}'",
        "SECRET": f"'{options['aws_secret_access_key']}'",
        "REGION": f"'{options['aws_region']}'",
        "ENDPOINT": f"'{options['aws_endpoint'].removeprefix('http://')}'",
        "URL_STYLE": "'path'",
        "USE_SSL": "false",
    }
    told = ", ".join(f"{word} {value}" for word, value in secret.items())
    return [f"CREATE OR REPLACE SECRET lake ({told})"]


def _ask_clickhouse(process: Foreign, address: Address, where: Where | None) -> list[Row]:
    sql = f"SELECT * FROM {_clickhouse_table(address)}"
    if where is not None:
        sql += f" WHERE {where.sql(CLICKHOUSE)}"
    return process.ask(sql=sql, before=[])


def _clickhouse_table(address: Address) -> str:
    if address.is_local:
        return f"deltaLakeLocal('{address.path}')"
    options = address.options
    url = address.uri.replace("s3:/", options["aws_endpoint"], 1)
    keys = f"'{options['aws_access_key_id']}', '{options['aws_secret_access_key']}'"
    return f"deltaLake('{url}', {keys})"


def _ask_daft(process: Foreign, address: Address, where: Where | None) -> list[Row]:
    s3 = {}
    if not address.is_local:
        s3 = {
            "endpoint_url": address.options["aws_endpoint"],
            "key_id": address.options["aws_access_key_id"],
            "access_key": address.options["aws_secret_access_key"],
            "region_name": address.options["aws_region"],
            "use_ssl": False,
        }
    condition = None if where is None else (where.column, where.op, where.value)
    return process.ask(uri=address.uri, s3=s3, where=condition)


_NULL_TESTS = {"is null": ("is_null", "is_null"), "is not null": ("is_not_null", "is_valid")}
"""By the words of Polars and of Arrow."""


def _apply(where: Where, column: Any, value: Any) -> Any:
    if where.op in _NULL_TESTS:
        words = _NULL_TESTS[where.op]
        return getattr(column, next(word for word in words if hasattr(column, word)))()
    return COMPARE[where.op](column, value)


def build_readers() -> dict[str, Reader]:
    """Every reader of `make test`, none of them started."""
    return {
        "polars": Polars(),
        "deltalake": DeltaRs(),
        "datafusion": DataFusion(),
        "duckdb": Worker("duckdb", _ask_duckdb),
        "clickhouse": Worker("clickhouse", _ask_clickhouse),
        "daft": Worker("daft", _ask_daft),
    }


READERS = ("polars", "deltalake", "datafusion", "duckdb", "clickhouse", "daft")
