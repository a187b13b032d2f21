"""Who works on a table, and how much of everything a table may have."""

from dataclasses import dataclass, field

from sync_runner.protocols import Clock, Steps, no_steps


@dataclass(frozen=True)
class Policy:
    """How much of everything there may be, in memory and in a table."""

    group_rows: int = 100_000
    """Rows of a row group, what readers handle at a time, and of a file that rows are merged
    into.
    """
    group_bytes: int = 48 << 20
    """Bytes in memory after which a row group is closed early."""
    part_seconds: float = 300.0
    """Age at which a part is closed, full or not, so that little is read twice."""
    due_seconds: float = 900.0
    due_parts: int = 4
    due_share: int = 4
    """A publication in the middle of a run is due after so long, or so many parts that are also
    such a share of the table: what is published early may have to be merged into later.
    """
    small_rows: int = 150_000
    small_bytes: int = 48 << 20
    """Up to here staged rows are merged in memory."""
    batch_rows: int = 10_000
    """Rows of a file that are changed at a time; few enough for the processor's caches."""
    likely_rows: int = 64
    """A file whose range takes in so many wanted keys is fetched whole, before its own are known.
    """
    piece_rows: int = 250_000
    """Keys that are compared at a time where there are more."""
    upkeep_seconds: float = 60.0
    """Bound of one upkeep."""
    tier_files: int = 8
    """Files of about one size that are made into one."""
    tier_factor: int = 8
    """Files belong to one tier while the larger is less than so many times the smaller."""
    checkpoint_versions: int = 10
    """Versions between two checkpoints."""
    log_hours: int = 168
    """Hours that entries of a new table's log stay."""
    log_entries: int = 20_000
    """Entries that a log may have, however young."""
    keep_hours: int = 48
    """Hours that files stay after they left a new table."""
    sweep_files: int = 1000
    """Files that left the table and are still there; where there are more, those whose time is over
    go at a checkpoint only.
    """
    grace_hours: int = 1
    """Hours that files stay which no log knows."""
    torn_seconds: float = 3600.0
    """Age of drafts that nobody can still be writing."""
    may_shrink: bool = False
    """A person has agreed that this run may leave the table with few rows or none."""


@dataclass(frozen=True)
class Actor:
    """Who writes, by which clock, who watches, and by which policy the table is looked after."""

    run: str
    clock: Clock
    steps: Steps = no_steps
    policy: Policy = field(default_factory=Policy)
