"""The store keeps the newest word on each object, whichever way it came."""

import copy

from external_data_operator.cluster.covers import covers
from external_data_operator.cluster.events import Throttle
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Note, ResourceKey

from tests.unit.reconcile.worlds import build_schema, build_source

OWNER = ResourceKey("ExternalDataSchema", "team", "shop-orders")


def build_job(version=5, uid="job-1", owner="schema/shop-orders"):
    return {
        "kind": "Job",
        "metadata": {
            "namespace": "team",
            "name": "job",
            "uid": uid,
            "resourceVersion": str(version),
            "annotations": {marks.OWNER: owner},
        },
        "spec": {"template": {}},
    }


def test_an_older_version_never_replaces_a_newer_one():
    store = Store(CONTROLLERS)
    assert store.put(build_job(version=100))
    assert not store.put(build_job(version=99))
    assert store.children(OWNER, "Job")[0]["metadata"]["resourceVersion"] == "100"


def test_a_listing_corrects_what_is_old_missing_or_gone():
    store = Store(CONTROLLERS)
    gone, old = build_job(uid="a"), build_job(uid="b")
    gone["metadata"]["name"] = "gone"
    store.put(gone)
    store.put(old)
    newer = build_job(version=8, uid="b")
    missing = build_job(version=7, uid="c")
    missing["metadata"]["name"] = "missing"
    changed, removed = store.replace("Job", [newer, missing], 9)
    assert [one["metadata"]["uid"] for one in changed] == ["b", "c"]
    assert [one["metadata"]["uid"] for one in removed] == ["a"]


def test_a_listing_does_not_remove_what_was_made_after_it():
    store = Store(CONTROLLERS)
    store.put(build_job(version=20))
    assert store.replace("Job", [], 10) == ([], [])
    assert len(store.children(OWNER, "Job")) == 1


def test_a_listing_does_not_bring_back_what_is_gone():
    store = Store(CONTROLLERS)
    job = build_job()
    store.put(job)
    store.drop(job)
    assert store.replace("Job", [job], 10) == ([], [])
    assert store.put(build_job(version=30, uid="job-2"))


def test_the_end_of_an_earlier_object_of_that_name_does_not_remove_the_present_one():
    store = Store(CONTROLLERS)
    store.put(build_job(version=10, uid="new"))
    assert not store.drop(build_job(version=11, uid="old"))


def test_children_are_found_by_owner_also_after_they_moved_to_another():
    store = Store(CONTROLLERS)
    store.put(build_job(version=1))
    store.put(build_job(version=2, owner="source/shop"))
    assert store.children(OWNER, "Job") == ()
    assert len(store.children(ResourceKey("ExternalDataSource", "team", "shop"), "Job")) == 1


def test_schemas_are_found_by_their_source():
    store = Store(CONTROLLERS)
    store.put(build_source())
    store.put(build_schema())
    (schema,) = store.dependents(ResourceKey("ExternalDataSource", "team", "shop"))
    assert schema["metadata"]["name"] == "shop-orders"


def test_a_manifest_is_covered_by_an_object_with_defaults_and_not_by_an_edited_one():
    wanted = {"spec": {"suspend": False, "rules": [{"a": 1}]}}
    live = {"spec": {"suspend": False, "rules": [{"a": 1, "defaulted": True}], "more": 2}}
    assert covers(live, wanted)
    for path, value in (("suspend", True), ("rules", []), ("rules", [{"a": 2}])):
        edited = copy.deepcopy(live)
        edited["spec"][path] = value
        assert not covers(edited, wanted)


def test_an_equal_event_is_told_again_only_after_five_minutes():
    throttle, note = Throttle(), Note("Warning", "Unreachable", "no route")
    assert throttle.admits("uid", note, 0)
    assert not throttle.admits("uid", note, 299)
    assert throttle.admits("uid", note, 301)
    assert throttle.admits("other", note, 302)


def test_no_more_than_five_different_events_of_one_reason_are_told_in_five_minutes():
    throttle = Throttle()
    told = [throttle.admits("uid", Note("Normal", "Synced", str(n)), n) for n in range(10)]
    assert told == [True] * 5 + [False] * 5
    assert throttle.admits("uid", Note("Normal", "Ready", "x"), 10)
