"""What the operator must know of each kind of source, one file each: the only place of `reconcile`
that names a kind.

The adapter of the kind `x` is `ADAPTER` in `kinds/x.py`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from external_data_operator.api.base import SpecModel
from external_data_operator.api.problems import Problem
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.sources import SOURCES
from external_data_operator.reconcile.plans.stream import Stream


@dataclass(frozen=True)
class DeclaredStream:
    """A stream that a spec declares."""

    stream: Stream
    location: tuple[str | int, ...]
    """Keys and indexes that lead to its name, below the kind's own key."""


class Adapter(Protocol):
    """One kind of source; each method is given the kind's own spec."""

    def declare_streams(self, source: Any) -> Sequence[DeclaredStream] | None:
        """The streams that the spec declares; None if only a check can list them."""

    def find_doubts(self, source: Any) -> Iterable[Problem]:
        """What the spec may declare and is likely a mistake; nothing of it refuses the spec."""

    def narrow(self, source: Any, streams: Collection[str]) -> SpecModel:
        """The spec with no more than these streams, which are not empty."""

    def has_feed(self, source: Any) -> bool:
        """Whether all tables of the source are read at once, from one log."""


@cache
def find_adapter(kind: str) -> Adapter:
    """The adapter of a kind that `SOURCES` lists."""
    assert kind in SOURCES, "a spec has a kind of the table"
    adapter: Adapter = import_module(f"{__name__}.{kind}").ADAPTER
    return adapter


def find_declared_streams(spec: SourceSpec) -> list[DeclaredStream] | None:
    """The streams that the spec declares, in its order, each with its place in the spec; None if
    only a check can list them."""
    assert spec.kind is not None, "a rule of the spec"
    declared = find_adapter(spec.kind).declare_streams(spec.chosen)
    if declared is None:
        return None
    return [DeclaredStream(one.stream, (spec.kind, *one.location)) for one in declared]


def find_doubts(spec: SourceSpec) -> list[Problem]:
    """What a spec may declare and is likely a mistake, each with its place in the spec."""
    assert spec.kind is not None, "a rule of the spec"
    found = find_adapter(spec.kind).find_doubts(spec.chosen)
    return [Problem((spec.kind, *one.location), one.message) for one in found]


def narrow_source(spec: SourceSpec, streams: Collection[str]) -> SourceSpec:
    """The source with no more than these streams; a kind that does not declare any stays whole."""
    assert spec.kind is not None, "a rule of the spec"
    narrowed = find_adapter(spec.kind).narrow(spec.chosen, streams)
    return spec.model_copy(update={spec.kind: narrowed})


def has_feed(spec: SourceSpec) -> bool:
    """Whether one run reads all tables of the source at once, from one log."""
    assert spec.kind is not None, "a rule of the spec"
    return find_adapter(spec.kind).has_feed(spec.chosen)
