"""The kinds of source, and the mapping that says which is which.

A new kind: its spec in the API's union, its file here, one line below.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Plan

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Source
from sync_runner.records.sample import Sample
from sync_runner.sources.rest.probe import RestProbe
from sync_runner.sources.rest.source import RestSource


class Probe(Protocol):
    """Looks at a source without syncing it."""

    def read_samples(self) -> Iterator[Sample]:
        """Every stream, the first ones with rows. Raises RunError."""


@dataclass(frozen=True)
class Kind:
    """What is made of a plan; both take `credentials`, `clock` and `is_stopped`, and make no
    request."""

    open: Callable[..., Source]
    probe: Callable[..., Probe]


KINDS: Mapping[str, Kind] = {"rest": Kind(RestSource, RestProbe)}
"""The key of the plan's union, and what follows it."""


def find_kind(plan: Plan) -> Kind:
    """The kind whose key is set; ConfigurationError where this runner knows none of them."""
    for key, kind in KINDS.items():
        if getattr(plan, key) is not None:
            return kind
    raise ConfigurationError(
        Reason.INVALID_SPEC, "the plan names no kind of source that this runner knows"
    )
