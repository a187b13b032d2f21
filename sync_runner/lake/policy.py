"""The run that writes a table, and its limits in memory, files and time."""

from dataclasses import dataclass, field

from sync_runner.protocols import Clock, Steps, no_steps


@dataclass(frozen=True)
class Policy:
    """Limits in memory, files and time."""

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
    """A publication in the middle of a run is due after `due_seconds`, or with `due_parts` parts
    that are also a `due_share`-th of the table: rows that are published early may have to be merged
    into later.
    """
    small_rows: int = 150_000
    small_bytes: int = 48 << 20
    """Up to here staged rows are merged in memory."""
    batch_rows: int = 10_000
    """Rows of a file that are changed at a time; few enough for the processor's caches."""
    likely_rows: int = 64
    """A file whose range contains this number of wanted keys is fetched whole, before its own keys
    are known.
    """
    piece_rows: int = 250_000
    """The number of keys that are compared at a time."""
    upkeep_seconds: float = 60.0
    """Limit of one upkeep."""
    tier_files: int = 8
    """The number of files of about one size that are compacted into one."""
    tier_factor: int = 8
    """Files belong to one tier while the larger is less than `tier_factor` times the smaller."""
    checkpoint_versions: int = 10
    """Versions between two checkpoints."""
    log_hours: int = 168
    """Hours that entries of a new table's log stay."""
    log_entries: int = 20_000
    """Maximum number of entries in a log, whatever their age."""
    keep_hours: int = 48
    """Hours that files stay after they were removed from a new table."""
    sweep_files: int = 1000
    """Maximum number of removed files in the store for which each run deletes expired ones; if
    there are more, they are deleted with a checkpoint only.
    """
    grace_hours: int = 1
    """Hours that files stay to which no log refers."""
    torn_seconds: float = 3600.0
    """Age at which no process can still be writing a draft."""
    may_shrink: bool = False
    """A person has agreed that this run may leave the table with few rows or none."""


@dataclass(frozen=True)
class Actor:
    """The run that writes, its clock, its observer, and its policy."""

    run: str
    clock: Clock
    steps: Steps = no_steps
    policy: Policy = field(default_factory=Policy)
