"""What an ExternalDataQuery comes to: a ConfigMap with its text, while its source is ready."""

from external_data_operator.api.conditions import ConditionType, Reason
from external_data_operator.api.source import SOURCE
from external_data_operator.api.status import ObjectStatus
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.controller import Controller, Reads
from external_data_operator.reconcile.base.parsing import parse_spec, read_status
from external_data_operator.reconcile.base.status import (
    Verdict,
    build_conditions,
    dump,
    find_condition,
    ready_claims,
)
from external_data_operator.reconcile.base.world import (
    Apply,
    Decision,
    ResourceKey,
    name_of,
    namespace_of,
)
from external_data_operator.reconcile.render.config import render_plan
from external_data_operator.reconcile.render.metadata import Owner

from tests.unit.thirdkind.model import QUERY, QuerySpec

WORD = "query"


def refer(query):
    return ResourceKey(SOURCE.kind, namespace_of(query), query["spec"]["sourceRef"]["name"])


def read(_world, _settings):
    return Reads(secrets=frozenset({"warehouse"}))


def claim(query, _source, _settings):
    return query["spec"].get("text")


def decide(world, settings, now):
    try:
        spec = parse_spec(QuerySpec, world.item)
    except SpecError as error:
        return refuse(world, settings, error.reason, str(error), now)
    if world.rivals:
        return refuse(
            world, settings, Reason.TABLE_TAKEN, f"{world.rivals[0].name} asks that.", now
        )
    if "warehouse" not in world.secrets:
        return refuse(world, settings, Reason.SECRET_NOT_FOUND, "Secret warehouse is missing.", now)
    conditions = read_status(ObjectStatus, world.parent or {}).conditions
    ready = find_condition(conditions, ConditionType.READY)
    if ready is None or ready.status != "True":
        verdict = Verdict("Unknown", Reason.PROGRESSING, "Waiting for the source.")
        return Decision(status=conclude(world, verdict, now))
    plan = render_plan(Owner(world.item, WORD, {}), name_of(world.item), spec.text, task=WORD)
    verdict = Verdict("True", Reason.READY, "The query is kept.")
    return Decision(intents=(Apply(plan),), status=conclude(world, verdict, now))


def refuse(world, _settings, reason, message, now):
    return Decision(status=conclude(world, Verdict("False", reason, message, stalled=True), now))


def conclude(world, verdict, now):
    status = read_status(ObjectStatus, world.item)
    conditions = build_conditions(status.conditions, ready_claims(verdict), generation=1, now=now)
    return dump(ObjectStatus(observed_generation=1, conditions=conditions))


CONTROLLER = Controller(
    resource=QUERY,
    verbs=frozenset({"get", "list", "watch", "patch"}),
    word=WORD,
    decide=decide,
    refuse=refuse,
    reads=read,
    refers_to=refer,
    claims=claim,
)
