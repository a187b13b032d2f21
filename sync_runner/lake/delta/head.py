"""Whether the head of the log is still the one for which a commit was planned.

The compare-and-swap of a commit only proves that its version was the newest. A commit of ours that
changes no rows (a new column, a compaction) raises the version, and a rival may publish right after
it: a plan is valid for the next version of the same publication, and for no other.
"""

from sync_runner.lake.delta.log import Snapshot
from sync_runner.lake.delta.state import State


def is_same_publication(one: State | None, other: State | None) -> bool:
    """Whether two versions with these states have the same publication."""
    if one is None or other is None:
        return one is other
    return one.is_publication_of(other)


def is_next(found: Snapshot, base: Snapshot) -> bool:
    """Whether `found` is one commit after `base`, and that commit changed no rows."""
    return found.version == base.version + 1 and is_same_publication(found.state, base.state)
