"""The boundary between the pipeline and everything it works with.

Sources, tables and surroundings are named here, so that the rooms that implement them need not know
each other.
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
