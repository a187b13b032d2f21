"""Who works on a table, and how much of everything a table may have."""

from dataclasses import dataclass, field

from sync_runner.protocols import Clock, Steps, no_steps


@dataclass(frozen=True)
class Policy:
    """How much of everything a table may have."""

    seconds: float = 60.0
    """Bound of one upkeep."""
    tier_files: int = 8
    """Files of about one size that are made into one."""
    tier_factor: int = 8
    """Files belong to one tier while the larger is less than so many times the smaller."""
    checkpoint_versions: int = 10
    """Versions between two checkpoints."""
    log_seconds: float = 600.0
    """Age before which entries of the log stay, a checkpoint or not."""
    log_entries: int = 100
    """Entries below the last but one checkpoint that may stay for their age."""
    grace_hours: int = 1
    """Hours that every removed file stays."""
    keep_hours: int = 24
    """Hours after which removed files go in any case."""
    torn_seconds: float = 3600.0
    """Age of drafts that nobody can still be writing."""


@dataclass(frozen=True)
class Actor:
    """Who writes, by which clock, who watches, and by which policy the table is looked after."""

    run: str
    clock: Clock
    steps: Steps = no_steps
    policy: Policy = field(default_factory=Policy)
