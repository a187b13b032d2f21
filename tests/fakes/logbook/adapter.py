"""Databases with a log: only a check can tell which tables there are."""

from collections.abc import Collection

from tests.fakes.logbook.spec import LogbookSource


class LogbookAdapter:
    """See `Adapter`."""

    def declare_streams(self, source: LogbookSource) -> None:
        """The catalogue has them."""

    def narrow(self, source: LogbookSource, streams: Collection[str]) -> LogbookSource:
        """The spec names no table."""
        return source

    def find_doubts(self, source: LogbookSource) -> tuple[()]:
        """None."""
        return ()

    def has_feed(self, source: LogbookSource) -> bool:
        """The log is read once for all tables."""
        return True


ADAPTER = LogbookAdapter()
