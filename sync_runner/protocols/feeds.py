"""The protocol of a feed: one read of a source's log, which fills many tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sync_runner.protocols.sources import Batch, Position, Token


@dataclass(frozen=True)
class FeedRequest:
    """The streams that a run reads from a feed."""

    since: Mapping[str, Position | None]
    """The streams to read, and the place in the log up to which the table of each has them. None:
    no commit of the table contains a place, as before its first run; it takes every entry that the
    feed yields. Confirmed entries are not read again, so that a feed cannot replace a table."""


@dataclass(frozen=True)
class FeedBatch:
    """Changes in some streams, in the order in which they happened."""

    tables: Mapping[str, Batch]
    """By stream, only those with changes. `position`, `settled`, `next` and `confirms` of such a
    batch are ignored: those of the feed's batch hold for all of them."""
    position: Position
    """Place in the log: all entries up to it were in this batch or in an earlier one."""
    confirms: Token | None = None
    """The token to pass to `confirm` after this batch, and all before it, are committed to all
    tables."""


class Feed(Protocol):
    """A log of several streams that can be read."""

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        """Yields batches in order, from the place after the last one that was confirmed, up to the
        log's end as of now.

        No batch straddles a place of `request.since`: a table that is ahead of the others skips
        whole batches. Raises RunError.
        """

    def confirm(self, token: Token) -> None:
        """Everything up to `token` is committed to all tables: see `Source.confirm`."""
