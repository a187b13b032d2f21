"""The kinds of source.

The kind with the key `x` in the API's table is `KIND` in `sync_runner.sources.x`. It is imported
when a plan names it, so that a run does not load the libraries of other kinds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Plan

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Feed, Source
from sync_runner.records.sample import Sample


class Probe(Protocol):
    """Looks at a source without syncing it."""

    def read_samples(self) -> Iterator[Sample]:
        """Every stream, the first ones with rows. Raises RunError."""


def no_feed(plan: Plan, **_: object) -> None:
    """The source is read stream by stream."""


@dataclass(frozen=True)
class SourceKind:
    """What is made of a plan; each takes `credentials`, `clock` and `is_stopped`, and makes no
    request."""

    open: Callable[..., Source]
    """The stream of a plan's only table. Of a log that fills several tables, it must not forget
    what the others lack."""
    probe: Callable[..., Probe]
    feed: Callable[..., Feed | None] = no_feed
    """What fills all tables of a plan at once; None for a plan that is read stream by stream."""


def find_kind(plan: Plan) -> SourceKind:
    """The plan's kind; ConfigurationError if this runner knows none of those that it may name."""
    if plan.kind is None:
        raise ConfigurationError(
            Reason.INVALID_SPEC,
            "This version of the runner does not support the source's kind. Use runner and "
            "operator of the same version.",
        )
    return load_kind(plan.kind)


def load_kind(key: str) -> SourceKind:
    """The kind that the API's table lists under this key."""
    kind: SourceKind = import_module(f"{__name__}.{key}").KIND
    return kind
