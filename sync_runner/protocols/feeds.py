"""What the pipeline asks of a feed: one read of a source's log, which goes into many tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sync_runner.protocols.sources import Batch, Position, Token


@dataclass(frozen=True)
class FeedRequest:
    """What a run wants of a feed."""

    since: Mapping[str, Position | None]
    """The streams that are wanted, and the place up to which the table of each has them. None: no
    commit of the table says a place, as before its first run; it takes every entry that the feed
    yields. What was confirmed before is not read again, so no table is replaced by a feed."""


@dataclass(frozen=True)
class FeedBatch:
    """What happened in some streams, in the order in which it happened."""

    tables: Mapping[str, Batch]
    """By stream, those alone that have news. `position`, `settled`, `next` and `confirms` of such a
    batch are not read: the feed's own say it for all of them."""
    position: Position
    """Place in the log: all entries up to it were in this batch or in an earlier one."""
    confirms: Token | None = None
    """What the feed is told by `confirm` once this batch, and all before it, are in all tables for
    good."""


class Feed(Protocol):
    """A log of several streams that can be read."""

    def read(self, request: FeedRequest) -> Iterator[FeedBatch]:
        """Yields batches in order, from the place after the last one that was confirmed, up to the
        log's end as of now.

        No batch straddles a place of `request.since`: a table that is ahead of the others skips
        whole batches. Raises RunError.
        """

    def confirm(self, token: Token) -> None:
        """Everything up to `token` is in all tables for good: see `Source.confirm`."""
