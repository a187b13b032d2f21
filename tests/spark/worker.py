"""One Spark session in an environment of its own; answers as `tests/readers/worker.py` does."""

import datetime as dt
import os
import pickle
import struct
import sys
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.functions import unix_micros
from pyspark.sql.types import TimestampType

Row = dict[str, Any]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OPTIONS = {
    "spark.driver.memory": "1500m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.databricks.delta.vacuum.parallelDelete.enabled": "false",
}


def open_session(jars: str, home: str) -> SparkSession:
    """A session with Delta's extension, on one core, that keeps its files under `home`."""
    builder = SparkSession.builder.master("local[1]").config("spark.jars", jars)
    builder = builder.config("spark.sql.warehouse.dir", f"{home}/warehouse")
    builder = builder.config("spark.local.dir", f"{home}/local")
    for name, value in _OPTIONS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def collect(session: SparkSession, sql: str) -> list[Row]:
    """The rows of a query. Timestamps travel as numbers: Python's own way there lacks year 1."""
    frame = session.sql(sql)
    zoned = {field.name for field in frame.schema if isinstance(field.dataType, TimestampType)}
    numbers = {name: unix_micros(frame[f"`{name}`"]) for name in zoned}
    rows = frame.withColumns(numbers).collect() if numbers else frame.collect()
    return [show(row.asDict(recursive=True), zoned) for row in rows]


def show(row: Row, zoned: set[str]) -> Row:
    """Timestamps with their zone; bytes as such."""
    for name, value in row.items():
        if name in zoned and value is not None:
            row[name] = _EPOCH + dt.timedelta(microseconds=value)
        elif isinstance(value, bytearray):
            row[name] = bytes(value)
    return row


def main(jars: str, home: str) -> None:
    """Answers until standard input ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    session = open_session(jars, home)
    reply: Any = {"version": session.version}
    while True:
        data = pickle.dumps(reply)
        out.write(struct.pack(">I", len(data)) + data)
        out.flush()
        head = sys.stdin.buffer.read(4)
        if len(head) < 4:
            session.stop()
            return
        request = pickle.loads(sys.stdin.buffer.read(struct.unpack(">I", head)[0]))
        try:
            for statement in request["before"]:
                session.sql(statement)
            reply = {"rows": collect(session, request["sql"]) if request["sql"] else []}
        except Exception as error:  # noqa: BLE001 - the reader's own, which the test judges
            reply = {"error": f"{type(error).__name__}: {str(error)[:2000]}"}


if __name__ == "__main__":
    main(*sys.argv[1:])
