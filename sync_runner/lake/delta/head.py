"""Whether the head of the log is still the one that a plan was made for.

A commit's compare-and-swap only says that the version was the newest. A step of ours that leaves
the rows alone (a new column, a compaction) moves that version on, and a rival's publication may
hide behind it: what was planned for the rows holds for the very next version of the same
publication, and for no other.
"""

from sync_runner.lake.delta.log import Snapshot
from sync_runner.lake.delta.state import State


def is_same_publication(one: State | None, other: State | None) -> bool:
    """Whether nobody published between two versions that say this."""
    if one is None or other is None:
        return one is other
    return one.is_publication_of(other)


def is_next(found: Snapshot, base: Snapshot) -> bool:
    """Whether one commit that left the rows alone led from `base` to `found`."""
    return found.version == base.version + 1 and is_same_publication(found.state, base.state)
