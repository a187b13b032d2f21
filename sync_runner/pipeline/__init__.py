"""The one loop that every source goes through: extract, stage, publish, report."""

from sync_runner.pipeline.stream import Outcome, run_stream

__all__ = ["Outcome", "run_stream"]
