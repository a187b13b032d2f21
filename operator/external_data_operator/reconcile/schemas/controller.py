"""The controller of ExternalDataSchema: what a look at one reads, and which table it claims."""

from datetime import datetime

from external_data_operator.api.conditions import Reason
from external_data_operator.api.schema import SCHEMA, SchemaStatus
from external_data_operator.api.source import SOURCE
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.controller import Controller, LogRead
from external_data_operator.reconcile.base.parsing import read_status
from external_data_operator.reconcile.base.world import (
    Decision,
    Object,
    ResourceKey,
    World,
    name_of,
    namespace_of,
    stream_of,
)
from external_data_operator.reconcile.plans.catalogue import discovery_name, find_object_names
from external_data_operator.reconcile.runs.run import read_runs
from external_data_operator.reconcile.schemas.columns import run_to_read
from external_data_operator.reconcile.schemas.decide import decide_schema, refuse_schema
from external_data_operator.reconcile.schemas.jobs import SYNC
from external_data_operator.reconcile.schemas.observed import ObservedSchema
from external_data_operator.reconcile.schemas.rivals import table_claim
from external_data_operator.settings import Settings

_TAIL = 64
"""Lines at the end of a run's log that may hold its report; the kubelet counts one of more than 16
KiB as several."""


def _refer(schema: Object) -> ResourceKey | None:
    name = ((schema.get("spec") or {}).get("sourceRef") or {}).get("name")
    return None if not name else ResourceKey(SOURCE.kind, namespace_of(schema), str(name))


def _observe(world: World) -> ObservedSchema:
    head, parts = _find_catalogue(world)
    return ObservedSchema(
        schema=world.item,
        source=world.parent,
        discovery=head,
        discovery_parts=parts,
        children=world.children,
        rivals=world.rivals,
        logs=world.logs,
    )


def _find_catalogue(world: World) -> tuple[Object | None, tuple[Object, ...]]:
    """The head of the source's catalogue, and its other objects as far as they are there."""
    if world.parent is None:
        return None, ()
    by_name = {name_of(one): one for one in world.parent_config_maps}
    head = by_name.get(discovery_name(name_of(world.parent)))
    parts = (by_name.get(name) for name in find_object_names(head))
    return head, tuple(one for one in parts if one is not None)


def _read_log(world: World) -> LogRead | None:
    """The end of the log of a run whose report did not fit into a termination message."""
    runs = read_runs(world.children, SYNC)
    status = read_status(SchemaStatus, world.item)
    job = run_to_read(runs, stream_of(world.item), status)
    return None if job is None else LogRead(job, lines=_TAIL)


def _decide(world: World, settings: Settings, now: datetime) -> Decision:
    return decide_schema(_observe(world), settings, now)


def _refuse(
    world: World, settings: Settings, reason: Reason, message: str, now: datetime
) -> Decision:
    return refuse_schema(_observe(world), settings, reason, message, now)


def _claim(schema: Object, source: Object | None, settings: Settings) -> str | None:
    return None if source is None else table_claim(source, schema, settings)


CONTROLLER = Controller(
    resource=SCHEMA,
    verbs=frozenset({"get", "list", "watch", "create", "patch", "delete"}),
    word=marks.SCHEMA_OWNER,
    decide=_decide,
    refuse=_refuse,
    log=_read_log,
    refers_to=_refer,
    claims=_claim,
    needs_managed_fields=True,
)
