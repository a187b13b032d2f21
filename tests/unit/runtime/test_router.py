"""A change leads to the objects that it concerns, and to no others."""

import copy

from external_data_operator.cluster.claims import Claims
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import ResourceKey
from external_data_operator.runtime.router import Router

from tests.unit.reconcile.worlds import SETTINGS, build_schema, build_source, make_ready

SOURCE = ResourceKey("ExternalDataSource", "team", "shop")
SCHEMA = ResourceKey("ExternalDataSchema", "team", "shop-orders")


def build_router(*items):
    store = Store(CONTROLLERS)
    router = Router(store, Claims(store, CONTROLLERS, SETTINGS), CONTROLLERS)
    for item in items:
        store.put(item)
        router.changed(item)
    return store, router


def put(store, router, item, version="50"):
    changed = copy.deepcopy(item)
    changed["metadata"]["resourceVersion"] = version
    assert store.put(changed)
    return router.changed(changed)


def test_a_childs_change_leads_to_its_owner_alone():
    _, router = build_router(build_source(), build_schema())
    pod = {
        "kind": "Pod",
        "metadata": {
            "namespace": "team",
            "name": "x",
            "annotations": {marks.OWNER: "schema/shop-orders"},
        },
    }
    assert router.changed(pod) == {SCHEMA}


def test_a_stranger_leads_to_nothing():
    _, router = build_router()
    assert (
        router.changed({"kind": "ConfigMap", "metadata": {"namespace": "team", "name": "x"}})
        == set()
    )


def test_a_schemas_change_leads_to_it_and_to_its_source():
    store, router = build_router(build_source(), build_schema())
    assert put(store, router, build_schema()) == {SOURCE, SCHEMA}


def test_a_source_that_becomes_ready_wakes_its_schemas():
    store, router = build_router(build_source(), build_schema())
    assert put(store, router, make_ready(build_source())) == {SOURCE, SCHEMA}


def test_a_source_that_only_counts_its_schemas_wakes_none_of_them():
    ready = make_ready(build_source())
    store, router = build_router(ready, build_schema())
    ready["status"]["schemas"] = {"total": 1}
    assert put(store, router, ready) == {SOURCE}


def test_a_source_that_went_wakes_its_schemas():
    ready = make_ready(build_source())
    store, router = build_router(ready, build_schema())
    store.drop(ready)
    assert router.changed(ready) == {SOURCE, SCHEMA}


def test_the_older_of_two_schemas_for_one_table_keeps_it_and_its_end_wakes_the_other():
    older, younger = build_schema("a"), build_schema("b")
    younger["metadata"]["creationTimestamp"] = "2026-03-05T00:00:00Z"
    store = Store(CONTROLLERS)
    claims = Claims(store, CONTROLLERS, SETTINGS)
    router = Router(store, claims, CONTROLLERS)
    for item in (build_source(), younger, older):
        store.put(item)
        router.changed(item)
    assert claims.rivals(ResourceKey("ExternalDataSchema", "team", "a")) == ()
    assert claims.rivals(ResourceKey("ExternalDataSchema", "team", "b")) == (
        ResourceKey("ExternalDataSchema", "team", "a"),
    )
    store.drop(older)
    assert ResourceKey("ExternalDataSchema", "team", "b") in router.changed(older)
    assert claims.rivals(ResourceKey("ExternalDataSchema", "team", "b")) == ()
