"""One look at a source: what is known before anything is decided."""

from dataclasses import dataclass
from datetime import datetime

from external_data_operator.api.source import SourceStatus
from external_data_operator.reconcile.base.parsing import read_status
from external_data_operator.reconcile.base.world import name_of, namespace_of
from external_data_operator.reconcile.plans.plan import SourcePlace
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.summary import SchemaSummary, summarise
from external_data_operator.settings import Settings


@dataclass(frozen=True)
class SourceLook:
    """One look at a source."""

    observed: ObservedSource
    status: SourceStatus
    schemas: tuple[SchemaSummary, ...]
    place: SourcePlace
    now: datetime


def look_at_source(observed: ObservedSource, settings: Settings, now: datetime) -> SourceLook:
    """The source with its own status and those of its schemas."""
    source = observed.source
    return SourceLook(
        observed=observed,
        status=read_status(SourceStatus, source),
        schemas=summarise(observed.schemas),
        place=SourcePlace(settings, namespace_of(source), name_of(source)),
        now=now,
    )
