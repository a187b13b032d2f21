"""How much one run may take: pages, bytes, seconds. A walk without an end must not become a bill
without one.
"""

from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.protocols import Counts

_STAYS = "What it published stays, and the next run continues from there."
_NOTHING = (
    "It published nothing, so that the next run starts at the same place and ends like this one. "
    "Ask the source for less at a time (params, windows)"
)
_SETTING = ", or raise the limit (runner.deadlineSeconds of the chart)"


@dataclass(frozen=True)
class Excess:
    """A limit that a run has passed."""

    what: str
    is_time: bool = False

    def build_error(self, *, has_published: bool | None) -> RunError:
        """How the run ends; `has_published`: whether rows of it are in the table, if that is
        known.
        """
        verb = "took longer" if self.is_time else "read more"
        message = f"The run {verb} than its limit of {self.what}."
        # A stream that passes its limit in every run would stand still without a word.
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
        """The limit that a run has passed which has read so much; None while it may go on."""
        limits = self.limits
        if counts.pages > limits.pages:
            return Excess(f"{limits.pages} pages")
        if counts.bytes > limits.bytes:
            return Excess(f"{limits.bytes} bytes")
        if counts.seconds > limits.seconds:
            return Excess(f"{limits.seconds} seconds", is_time=True)
        return None
