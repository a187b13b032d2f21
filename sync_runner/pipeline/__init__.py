"""The loops that read every kind of source: one stream into one table, or one feed into many."""

from sync_runner.pipeline.feed import FeedOutcome, TableOutcome, run_feed
from sync_runner.pipeline.stream import Outcome, run_stream

__all__ = ["FeedOutcome", "Outcome", "TableOutcome", "run_feed", "run_stream"]
