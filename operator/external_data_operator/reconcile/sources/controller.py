"""The controller of ExternalDataSource: what a look at one reads, what its schemas read of it."""

from datetime import datetime

from external_data_operator.api.conditions import ConditionType, Reason
from external_data_operator.api.schema import SCHEMA
from external_data_operator.api.source import SOURCE, SourceSpec, SourceStatus
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.actions import read_passed_on
from external_data_operator.reconcile.base.controller import Controller, LogRead, Reads
from external_data_operator.reconcile.base.parsing import parse_spec, read_status
from external_data_operator.reconcile.base.status import find_condition
from external_data_operator.reconcile.base.world import Decision, Object, World, is_going, name_of
from external_data_operator.reconcile.plans.plan import default_secret_name, destination_copy
from external_data_operator.reconcile.plans.references import Need, find_needs
from external_data_operator.reconcile.sources.credentials import credentials_names
from external_data_operator.reconcile.sources.decide import decide_source, refuse_source
from external_data_operator.reconcile.sources.kept import job_to_read
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.settings import Settings


def _read(world: World, settings: Settings) -> Reads:
    """What the spec refers to, what we put beside it, and the names that its schemas must avoid."""
    source = world.item
    try:
        spec = parse_spec(SourceSpec, source)
    except SpecError:
        return Reads(secrets=_own_secrets(source), names_of=(SCHEMA.kind,))
    needs, central = find_needs(spec), default_secret_name(spec, settings)
    return Reads(
        secrets=_own_secrets(source) | _names(needs, "Secret"),
        config_maps=_names(needs, "ConfigMap"),
        central_secrets=frozenset() if central is None else frozenset({central}),
        names_of=(SCHEMA.kind,),
    )


def _own_secrets(source: Object) -> frozenset[str]:
    return frozenset({*credentials_names(source), destination_copy(name_of(source))})


def _names(needs: list[Need], kind: str) -> frozenset[str]:
    return frozenset(need.name for need in needs if need.kind == kind)


def _observe(world: World) -> ObservedSource:
    return ObservedSource(
        source=world.item,
        secrets=world.secrets,
        config_maps=world.config_maps,
        default_secret=next(iter(world.central_secrets.values()), None),
        schemas=tuple(one for one in world.dependents if one["kind"] == SCHEMA.kind),
        schema_names=world.names.get(SCHEMA.kind, frozenset()),
        children=world.children,
        logs=world.logs,
    )


def _read_log(world: World) -> LogRead | None:
    """The log of a check whose findings have not been kept yet."""
    job = job_to_read(_observe(world))
    return None if job is None else LogRead(job)


def _decide(world: World, settings: Settings, now: datetime) -> Decision:
    return decide_source(_observe(world), settings, now)


def _refuse(
    world: World, settings: Settings, reason: Reason, message: str, now: datetime
) -> Decision:
    return refuse_source(_observe(world), settings, reason, message, now)


def _show(source: Object) -> object:
    """Without the counts of schemas: else each change of a schema would wake all of them."""
    status = read_status(SourceStatus, source)
    ready = find_condition(status.conditions, ConditionType.READY)
    return (
        source["metadata"].get("generation"),
        status.observed_generation,
        status.checked_fingerprint,
        status.last_discovered_at,
        [(one.word, one.token) for one in read_passed_on(source, word=marks.SOURCE_OWNER)],
        is_going(source),
        None if ready is None else (ready.status, ready.reason, ready.message),
    )


CONTROLLER = Controller(
    resource=SOURCE,
    verbs=frozenset({"get", "list", "watch", "patch"}),
    word=marks.SOURCE_OWNER,
    decide=_decide,
    refuse=_refuse,
    reads=_read,
    log=_read_log,
    shows=_show,
)
