"""What the local cluster says when it cannot go on: one sentence for a person, with a remedy."""

from collections.abc import Sequence


class LocalClusterError(Exception):
    """Says what failed and how to go on. The command line prints it without a traceback."""


class CommandFailedError(LocalClusterError):
    """A program ended with an error; `stderr` is all that it said there."""

    def __init__(self, argv: Sequence[str], *, code: int, stderr: str) -> None:
        self.argv = tuple(argv)
        self.code = code
        self.stderr = stderr
        super().__init__(f"`{' '.join(argv)}` ended with {code}: {stderr.strip()[-2000:]}")
