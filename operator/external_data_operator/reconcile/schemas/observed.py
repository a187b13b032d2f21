"""What a decision about a schema sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from external_data_operator.reconcile.base.world import Children, Object, ResourceKey


@dataclass(frozen=True)
class ObservedSchema:
    """A schema, its source, and everything around it."""

    schema: Object
    source: Object | None = None
    discovery: Object | None = None
    """The head of the catalogue that keeps what the last check found."""
    discovery_parts: tuple[Object, ...] = ()
    """The other ConfigMaps of the catalogue."""
    children: Children = field(default_factory=Children)
    rivals: tuple[ResourceKey, ...] = ()
    """Older objects that write to the same table."""
    logs: Mapping[str, str] = field(default_factory=dict)
    """Ends of the logs of runs whose report did not fit into a termination message, by the Job's
    name."""
