"""What a source reports of its schemas: counts, a phase, the newest error, and whether all have
carried out an action."""

from collections.abc import Sequence
from dataclasses import dataclass

from external_data_operator.api.source import SchemaCounts
from external_data_operator.api.status import Phase, RunsStatus
from external_data_operator.reconcile.base.actions import ActionRequest
from external_data_operator.reconcile.base.parsing import read_status
from external_data_operator.reconcile.base.world import Object, name_of


@dataclass(frozen=True)
class SchemaSummary:
    """One schema, as far as its source reads it."""

    name: str
    enabled: bool
    """Whether it asks to be synced."""
    status: RunsStatus


def summarise(schemas: Sequence[Object]) -> tuple[SchemaSummary, ...]:
    """Each schema once, in the same order."""
    return tuple(
        SchemaSummary(
            name=name_of(one),
            enabled=bool((one.get("spec") or {}).get("shouldSync", True)),
            status=read_status(RunsStatus, one),
        )
        for one in schemas
    )


def find_source_phase(schemas: Sequence[SchemaSummary]) -> Phase | None:
    """First match over the schemas that are synced: Failed, Paused, Running, Completed; Paused
    where none is."""
    if not schemas:
        return None
    phases = {one.status.phase for one in schemas if one.enabled}
    if not phases:
        return Phase.PAUSED
    order = (Phase.FAILED, Phase.PAUSED, Phase.RUNNING, Phase.COMPLETED)
    return next((phase for phase in order if phase in phases), None)


def count_schemas(schemas: Sequence[SchemaSummary]) -> SchemaCounts:
    """The number of schemas by state."""
    return SchemaCounts(
        total=len(schemas),
        enabled=sum(one.enabled for one in schemas),
        running=sum(one.status.phase is Phase.RUNNING for one in schemas),
        failed=sum(one.status.phase is Phase.FAILED for one in schemas),
    )


def find_newest_error(schemas: Sequence[SchemaSummary]) -> str | None:
    """The error of the schema whose run ended last, of those that have one."""
    failed = [one for one in schemas if one.status.latest_error is not None]
    newest = max(failed, key=lambda one: one.status.reported_until or "", default=None)
    return None if newest is None else f"{newest.name}: {newest.status.latest_error}"


def have_carried_out(schemas: Sequence[SchemaSummary], request: ActionRequest) -> bool:
    """Whether every schema that is synced has carried out what its source passed on."""
    synced = [one.status.handled_requests for one in schemas if one.enabled]
    return all(handled.get(request.word) == request.token for handled in synced)
