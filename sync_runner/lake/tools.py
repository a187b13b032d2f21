"""The objects that a session uses to write its table."""

from dataclasses import dataclass

from sync_runner.lake.delta.log import DeltaLog
from sync_runner.lake.division import Division
from sync_runner.lake.journal import JournalFile
from sync_runner.lake.parquet.stage import Stage
from sync_runner.lake.publish import Publisher
from sync_runner.lake.upkeep import Upkeep
from sync_runner.records.columns import Columns


@dataclass(frozen=True)
class Tools:
    """The objects that a session uses."""

    attempt: str
    uri: str
    part_bytes: int
    log: DeltaLog
    journal: JournalFile
    columns: Columns
    stage: Stage
    division: Division
    publisher: Publisher
    upkeep: Upkeep
