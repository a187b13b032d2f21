"""The declaration of a kind of resource, so that `cluster` and `runtime` name none: what a look
reads, how it decides, and which objects its changes wake."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from external_data_operator.api.base import ResourceKind
from external_data_operator.api.conditions import Reason
from external_data_operator.reconcile.base.world import Decision, Object, ResourceKey, World
from external_data_operator.settings import Settings


@dataclass(frozen=True)
class Reads:
    """What a look reads that the watches do not hold, or that takes a search: by name."""

    secrets: frozenset[str] = frozenset()
    config_maps: frozenset[str] = frozenset()
    central_secrets: frozenset[str] = frozenset()
    """In the operator's own namespace."""
    names_of: tuple[str, ...] = ()
    """Kinds of which every name in the namespace is wanted."""


@dataclass(frozen=True)
class LogRead:
    """The log of a pod that succeeded."""

    job: str
    lines: int | None = None
    """From the end; all of it by default."""


class Decide(Protocol):
    """One look at an object."""

    def __call__(self, world: World, settings: Settings, now: datetime) -> Decision:
        """The decision."""


class Refuse(Protocol):
    """The API server did not take what a look came to."""

    def __call__(
        self, world: World, settings: Settings, reason: Reason, message: str, now: datetime
    ) -> Decision:
        """Only writes the status, with the message that a person must follow."""


def read_nothing(_: World, __: Settings) -> Reads:
    """All that it needs is watched."""
    return Reads()


def read_no_log(_: World) -> LogRead | None:
    """No log is needed; the status of the children suffices."""
    return None


def refer_to_nothing(_: Object) -> ResourceKey | None:
    """It has no parent."""
    return None


def show_nothing(_: Object) -> object:
    """No other object reads it."""
    return None


def claim_nothing(_: Object, __: Object | None, ___: Settings) -> str | None:
    """It has nothing that another one must not have."""
    return None


@dataclass(frozen=True)
class Controller:
    """One kind of resource."""

    resource: ResourceKind
    verbs: frozenset[str]
    """What the operator does with it, in Kubernetes' words; the chart grants just that."""
    word: str
    """How children name an owner of this kind: `<word>/<name>`, see `marks.OWNER`."""
    decide: Decide
    refuse: Refuse
    reads: Callable[[World, Settings], Reads] = read_nothing
    """Is given the object and its relatives."""
    log: Callable[[World], LogRead | None] = read_no_log
    """Is given all but the logs."""
    refers_to: Callable[[Object], ResourceKey | None] = refer_to_nothing
    """Its parent, which each change of it wakes."""
    shows: Callable[[Object], object] = show_nothing
    """What its dependents read of it: they are woken when this changes."""
    claims: Callable[[Object, Object | None, Settings], str | None] = claim_nothing
    """What only the oldest of several may have, from the object and its parent."""
    needs_managed_fields: bool = False
    """Whether its decisions read managedFields, which the watches drop otherwise."""
