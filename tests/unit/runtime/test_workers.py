"""What the API server refuses becomes a status only where the object's own people can mend it. A
look that somebody overtook is repeated."""

import asyncio
from dataclasses import replace

import pytest
from external_data_operator.api.source import SourceSpec
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import ForbiddenError, StaleError
from external_data_operator.reconcile.base.parsing import parse_spec
from external_data_operator.reconcile.base.world import Decision, ResourceKey
from external_data_operator.reconcile.sources.observed import ObservedSource
from external_data_operator.reconcile.sources.offspring import decide_schemas
from external_data_operator.runtime.workers import Reconciler

from tests.unit.cluster.memory_api import MemoryApi
from tests.unit.reconcile.worlds import KINDS, NOW, SETTINGS, build_source, condition

KEY = ResourceKey("ExternalDataSource", "team", "shop")
TOKEN = {"kind": "Secret", "metadata": {"namespace": "team", "name": "api"}, "data": {"token": ""}}


def look(*there, forbidden=()):
    """The status after one look at a new source, and what was raised."""
    source, store = build_source(), Store(CONTROLLERS)
    api = MemoryApi(source, TOKEN, *there, forbidden=forbidden)
    store.put(source)
    observer = Observer(api, store, CONTROLLERS, SETTINGS)
    reconciler = Reconciler(
        observer, Performer(api, store, KINDS, observer), CONTROLLERS, SETTINGS, lambda: NOW
    )
    asyncio.run(reconciler.look(KEY))
    return [body for verb, body in api.writes if verb == "status"][-1]


def test_a_refused_job_is_a_refused_pod_and_is_tried_again():
    status = look(forbidden=[("create", "Job")])
    assert condition(status, "Ready")["reason"] == "PodRefused"
    assert condition(status, "Stalled") is None
    assert condition(status, "Reconciling") is not None


def test_a_right_that_the_operator_lacks_says_nothing_against_the_source():
    with pytest.raises(ForbiddenError):
        look(forbidden=[("get", "ConfigMap")])


PLACE = ("ExternalDataSchema", "team", "shop-orders")


def decide_on_schemas(world, _, __):
    """Only the part of a source's decision that is about its schemas."""
    observed = ObservedSource(source=world.item, schemas=world.dependents)
    intents, notes = decide_schemas(observed, parse_spec(SourceSpec, world.item), ["orders"])
    return Decision(tuple(intents), notes=tuple(notes))


class Life:
    """A source whose one schema has been made; each change of its spec reaches the store."""

    def __init__(self):
        self.api, self.store = MemoryApi(), Store(CONTROLLERS)
        only = replace(CONTROLLERS[KEY.kind], decide=decide_on_schemas)
        controllers = {**CONTROLLERS, KEY.kind: only}
        observer = Observer(self.api, self.store, controllers, SETTINGS)
        performer = Performer(self.api, self.store, KINDS, observer)
        self.reconciler = Reconciler(observer, performer, controllers, SETTINGS, lambda: NOW)
        self.set_policy("All", version=1)
        self.look()

    def set_policy(self, policy, version):
        source = build_source(schemas={"enable": policy})
        source["metadata"]["resourceVersion"] = str(version)
        self.store.put(source)

    def look(self):
        asyncio.run(self.reconciler.look(KEY))

    @property
    def spec(self):
        return self.api.items[PLACE]["spec"]


def test_a_field_that_a_person_sets_while_a_look_decides_stays_theirs():
    life = Life()
    life.api.edit(*PLACE, shouldSync=True, cron="7 3 * * *")
    life.set_policy("None", version=2)
    life.look()
    assert (life.spec["shouldSync"], life.spec["cron"]) == (True, "7 3 * * *")
    assert life.api.owners(*PLACE) == {"f:shouldSync", "f:cron"}
    life.look()
    assert life.api.owners(*PLACE) == {"f:shouldSync", "f:cron"}


def test_a_look_that_a_person_overtook_is_repeated_by_what_the_person_left():
    life = Life()
    life.api.edit(*PLACE, cron="7 3 * * *")
    life.set_policy("None", version=2)
    life.look()
    assert (life.spec["shouldSync"], life.spec["cron"]) == (False, "7 3 * * *")
    assert life.api.owners(*PLACE) == {"f:cron"}


def test_looks_that_are_overtaken_every_time_end_with_the_conflict():
    life, edits = Life(), []

    def edit():
        edits.append(life.api.edit(*PLACE, cron=f"{len(edits)} 3 * * *"))

    life.api.before_apply = edit
    life.set_policy("None", version=2)
    with pytest.raises(StaleError):
        life.look()
    assert 2 < len(edits) < 10
    assert life.api.owners(*PLACE) == {"f:cron"}
