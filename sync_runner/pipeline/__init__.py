"""The one loop that every source goes through: extract, stage, publish, report."""

from sync_runner.pipeline.run import Outcome, run_sync

__all__ = ["Outcome", "run_sync"]
