"""Adds a kind of source for a test, in the places where a real one is added and in no other."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import cast

import pytest
from external_data_operator.api.base import SpecModel
from external_data_operator.api.plan import Plan
from external_data_operator.api.source import SourceSpec
from external_data_operator.api.sources import SOURCES, add_kinds
from external_data_operator.reconcile.plans.kinds import Adapter, find_adapter

from sync_runner.sources import SourceKind


@dataclass(frozen=True)
class FakeKind:
    """All that makes a kind."""

    key: str
    spec: type[SpecModel]
    adapter: Adapter
    kind: SourceKind

    @property
    def places(self) -> Mapping[str, Callable[[pytest.MonkeyPatch], None]]:
        """Where it is added, as ARCHITECTURE.md names it (the spec's own file and the example are
        the test's)."""
        return {
            "`SOURCES`": self._add_line,
            "`reconcile/plans/kinds/<kind>.py`": self._add_adapter,
            "`sync_runner/sources/<kind>/`": self._add_code,
        }

    def _add_line(self, patch: pytest.MonkeyPatch) -> None:
        patch.setitem(cast("dict[str, type[SpecModel]]", SOURCES), self.key, self.spec)

    def _add_adapter(self, patch: pytest.MonkeyPatch) -> None:
        name = f"external_data_operator.reconcile.plans.kinds.{self.key}"
        patch.setitem(sys.modules, name, _build_module(ADAPTER=self.adapter))

    def _add_code(self, patch: pytest.MonkeyPatch) -> None:
        patch.setitem(sys.modules, f"sync_runner.sources.{self.key}", _build_module(KIND=self.kind))


@contextmanager
def installed(fake: FakeKind) -> Iterator[None]:
    """Both processes know the kind. The two models are built again, as they are when a process
    starts."""
    with pytest.MonkeyPatch.context() as patch:
        for add in fake.places.values():
            add(patch)
        add_kinds(SourceSpec, after="suspend")
        add_kinds(Plan, after="source")
        try:
            yield
        finally:
            find_adapter.cache_clear()
            for model in (SourceSpec, Plan):
                del model.__pydantic_fields__[fake.key]
                model.model_rebuild(force=True)


def _build_module(**members: object) -> ModuleType:
    module = ModuleType("fake")
    vars(module).update(members)
    return module
