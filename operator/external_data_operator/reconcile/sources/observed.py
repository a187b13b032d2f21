"""What a decision about a source sees."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from external_data_operator.reconcile.base.world import Children, Data, Object


@dataclass(frozen=True)
class ObservedSource:
    """A source and everything around it."""

    source: Object
    secrets: Mapping[str, Data] = field(default_factory=dict)
    config_maps: Mapping[str, Data] = field(default_factory=dict)
    default_secret: Data | None = None
    """The default destination's credentials in the operator's own namespace."""
    schemas: tuple[Object, ...] = ()
    """Every schema of the namespace that refers to this source."""
    schema_names: frozenset[str] = frozenset()
    """Every schema's name in the namespace."""
    children: Children = field(default_factory=Children)
    logs: Mapping[str, str] = field(default_factory=dict)
    """Logs of check pods, by the Job's name."""
