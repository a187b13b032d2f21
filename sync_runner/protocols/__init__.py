"""The boundary between the pipeline and everything it works with.

Sources, tables and surroundings are defined here, so that the packages that implement them do not
depend on each other.
"""

from sync_runner.protocols.feeds import Feed, FeedBatch, FeedRequest
from sync_runner.protocols.sources import Batch, Position, ReadRequest, Source, Token
from sync_runner.protocols.surroundings import (
    Clock,
    Counts,
    Credentials,
    IsStopped,
    Progress,
    ProgressListener,
    Step,
    Steps,
    no_steps,
)
from sync_runner.protocols.tables import DestinationTable, Published, Start

__all__ = [
    "Batch",
    "Clock",
    "Counts",
    "Credentials",
    "DestinationTable",
    "Feed",
    "FeedBatch",
    "FeedRequest",
    "IsStopped",
    "Position",
    "Progress",
    "ProgressListener",
    "Published",
    "ReadRequest",
    "Source",
    "Start",
    "Step",
    "Steps",
    "Token",
    "no_steps",
]
