"""How much one run may take: pages, bytes, seconds. A walk without an end must not become a bill
without one.
"""

from dataclasses import dataclass

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Limits

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.protocols import Counts


@dataclass(frozen=True)
class Budget:
    """The plan's limits."""

    limits: Limits

    def find_excess(self, counts: Counts) -> RunError | None:
        """How a run ends that has read so much; None while it may go on."""
        limits = self.limits
        if counts.pages > limits.pages:
            return _too_much(f"{limits.pages} pages")
        if counts.bytes > limits.bytes:
            return _too_much(f"{limits.bytes} bytes")
        if counts.seconds > limits.seconds:
            message = f"the run took longer than its limit of {limits.seconds} seconds"
            return RetryableError(Reason.LIMIT_EXCEEDED, message)
        return None


def _too_much(limit: str) -> RunError:
    message = f"the run read more than its limit of {limit}"
    return ConfigurationError(Reason.LIMIT_EXCEEDED, message)
