"""The table: parts, the journal of what is staged, commits, and upkeep.

Rows become visible with one commit to the table's log, which also contains their position. Every
step before the commit can be repeated; every step after it can be left out.
"""

from sync_runner.lake.check import check_destination
from sync_runner.lake.memory import give_memory_back
from sync_runner.lake.table import open_table

__all__ = ["check_destination", "give_memory_back", "open_table"]
