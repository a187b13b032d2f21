"""A third kind of resource is a model, a folder and one line: it is listed, watched, decided and
written by what stands in `cluster` and `runtime`, which name no kind."""

import asyncio
import re
from pathlib import Path

import pytest
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.cluster.listing import Lister
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.crdgen.definition import build_definition
from external_data_operator.reconcile.base.world import ResourceKey, format_time
from external_data_operator.runtime.logs import Subjects
from external_data_operator.runtime.router import Router
from external_data_operator.runtime.workers import Reconciler

from tests.unit.cluster.memory_api import MemoryApi
from tests.unit.reconcile.worlds import NOW, SETTINGS, build_source, condition, make_ready
from tests.unit.thirdkind.controller import CONTROLLER
from tests.unit.thirdkind.model import QUERY

THREE = {**CONTROLLERS, QUERY.kind: CONTROLLER}
KEY = ResourceKey(QUERY.kind, "team", "totals")
ROOT = Path(__file__).parents[3] / "operator/external_data_operator"
SECRET = {"kind": "Secret", "metadata": {"namespace": "team", "name": "warehouse"}, "data": {}}


def build_query(name="totals", created=NOW, **spec):
    return {
        "apiVersion": "external-data.io/v1alpha1",
        "kind": QUERY.kind,
        "metadata": {
            "name": name,
            "namespace": "team",
            "uid": f"{name}-uid",
            "generation": 1,
            "resourceVersion": "9",
            "creationTimestamp": format_time(created),
        },
        "spec": {"sourceRef": {"name": "shop"}, "text": "select 1", **spec},
    }


class Operator:
    """The operator's own parts around an API server in memory."""

    def __init__(self, *items):
        self.kinds = ApiKinds(THREE)
        self.api, self.store = MemoryApi(*items), Store(THREE)
        self.observer = Observer(self.api, self.store, THREE, SETTINGS)
        self.router = Router(self.store, self.observer.claims, THREE)
        self.woken = []
        self.store.listen(lambda item: self.woken.extend(self.router.changed(item)))
        performer = Performer(self.api, self.store, self.kinds, self.observer)
        self.reconciler = Reconciler(self.observer, performer, THREE, SETTINGS, lambda: NOW)
        for item in self.api.items.values():
            if item["kind"] in THREE:
                self.store.put(item)

    def look(self, key=KEY):
        asyncio.run(self.reconciler.look(key))
        item = self.api.items[key.kind, key.namespace, key.name]
        return condition(item.get("status"), "Ready")


def ready_source():
    return make_ready(build_source())


def test_it_is_listed_and_watched_without_a_selector():
    operator = Operator(build_query())
    asked = []

    async def list_all(kind, namespace, selector=None):
        asked.append((kind.plural, selector))
        return [], 0

    operator.api.list_all = list_all
    asyncio.run(Lister(operator.api, operator.store, operator.kinds, SETTINGS).fill())
    assert (QUERY.plural, None) in asked
    assert all(kind.ours for kind in operator.kinds.watched if kind.kind in THREE)


def test_it_is_decided_and_its_child_and_its_status_are_written():
    operator = Operator(build_query(), ready_source(), SECRET)
    ready = operator.look()
    assert (ready["status"], ready["message"]) == ("True", "The query is kept.")
    child = operator.api.items["ConfigMap", "team", "totals"]
    assert child["data"] == {"plan.json": "select 1"}
    assert child["metadata"]["ownerReferences"][0]["kind"] == QUERY.kind
    assert [verb for verb, _ in operator.api.writes] == ["apply", "status"]
    operator.look()
    assert len(operator.api.writes) == 2


def test_a_change_of_its_child_and_of_its_source_wake_it():
    operator = Operator(build_query(), ready_source(), SECRET)
    operator.look()
    operator.woken.clear()
    child = operator.store.get("ConfigMap", "team", "totals")
    operator.store.drop(child)
    assert operator.woken == [KEY]
    changed = make_ready(build_source(), fingerprint="other")
    changed["metadata"] |= {"resourceVersion": "50"}
    operator.store.put(changed)
    assert KEY in operator.woken


def test_it_waits_for_its_secret_and_its_source():
    assert Operator(build_query(), ready_source()).look()["reason"] == "SecretNotFound"
    assert Operator(build_query(), build_source(), SECRET).look()["reason"] == "Progressing"


def test_the_older_of_two_keeps_what_both_claim():
    younger = build_query("again", created=NOW.replace(year=2027))
    operator = Operator(build_query(), younger, ready_source(), SECRET)
    assert operator.look(ResourceKey(QUERY.kind, "team", "again"))["reason"] == "TableTaken"
    assert operator.look()["status"] == "True"


def test_what_the_api_server_refuses_is_said_by_its_own_room():
    taken = {**SECRET, "kind": "ConfigMap", "metadata": {"namespace": "team", "name": "totals"}}
    ready = Operator(build_query(), ready_source(), SECRET, taken).look()
    assert ready["reason"] == "NameTaken"


def test_lines_of_the_log_about_it_name_its_source():
    operator = Operator(build_query(), ready_source())
    subject = Subjects(operator.store, THREE).find(KEY)
    assert (subject.namespace, subject.source, subject.schema) == ("team", "shop", None)


def test_it_has_a_definition_of_its_own():
    definition = build_definition(QUERY)
    assert definition["metadata"]["name"] == "externaldataqueries.external-data.io"


@pytest.mark.parametrize("room", ["cluster", "runtime"])
def test_the_rooms_around_the_decisions_name_no_kind(room):
    named = re.compile(r"\bExternalData\w+")
    code = {path.name: path.read_text() for path in (ROOT / room).glob("*.py")}
    assert {name: found for name, text in code.items() if (found := named.findall(text))} == {}
