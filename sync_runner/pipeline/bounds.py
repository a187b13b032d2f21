"""The limits of one run: pages, bytes and seconds. A source that never ends must not cause costs
that never end.
"""

from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.protocols import Counts

_STAYS = "The rows that it published stay, and the next run continues after them."
_NOTHING = (
    "It published nothing, so that the next run would start at the same position and fail again. "
    "Request fewer rows at a time (params, incremental.windowSeconds)"
)
_SETTING = ", or raise the limit (runner.deadlineSeconds of the chart)"


@dataclass(frozen=True)
class Excess:
    """A limit that a run has exceeded."""

    what: str
    is_time: bool = False

    def build_error(self, *, has_published: bool | None) -> RunError:
        """The error that ends the run; `has_published`: whether rows of the run are in the table,
        None if unknown.
        """
        verb = "took longer" if self.is_time else "read more"
        message = f"The run {verb} than its limit of {self.what}."
        # A stream that exceeds its limit in every run would never progress.
        if has_published is False:
            message += f" {_NOTHING}{_SETTING if self.is_time else ''}."
        elif has_published:
            message += f" {_STAYS}"
        build = RetryableError if self.is_time else ConfigurationError
        return build(Reason.LIMIT_EXCEEDED, message)


@dataclass(frozen=True)
class Budget:
    """The plan's limits."""

    limits: Limits

    def find_excess(self, counts: Counts) -> Excess | None:
        """The limit that a run with these counts has exceeded; None if it may continue."""
        limits = self.limits
        if counts.pages > limits.pages:
            return Excess(f"{limits.pages} pages")
        if counts.bytes > limits.bytes:
            return Excess(f"{limits.bytes} bytes")
        if counts.seconds > limits.seconds:
            return Excess(f"{limits.seconds} seconds", is_time=True)
        return None
