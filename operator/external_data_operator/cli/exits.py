"""Exit statuses of commands, and their error."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses; those of a run are the runner's own."""

    OK = 0
    INVALID = 1
    USAGE = 2
    RETRYABLE = 75
    CONFIGURATION = 78
    STOPPED = 130


class CommandError(Exception):
    """A user's mistake, in one sentence."""

    def __init__(self, message: str, status: Exit = Exit.CONFIGURATION) -> None:
        """`status` is what the process exits with."""
        super().__init__(message)
        self.status = status
