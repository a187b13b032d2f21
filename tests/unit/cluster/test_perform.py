"""A decision is carried out on our own objects, as its manifests say, and on nobody else's."""

import asyncio
import copy

import pytest
from external_data_operator.cluster.covers import covers, stamp
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import (
    ConflictError,
    ForbiddenError,
    PodRefusedError,
    StaleError,
    TakenError,
)
from external_data_operator.reconcile.base.world import (
    Apply,
    CopySecret,
    Create,
    Decision,
    Delete,
    StoreCredentials,
)
from external_data_operator.reconcile.plans.references import S3_KEYS, S3_OPTIONAL_KEYS
from external_data_operator.reconcile.render.config import (
    render_plan,
    render_schema_object,
    render_secret,
)
from external_data_operator.reconcile.sources.owner import own
from pydantic import SecretStr

from tests.unit.cluster.memory_api import MemoryApi
from tests.unit.reconcile.worlds import KINDS, SETTINGS, build_source

SOURCE = build_source()
OWNER = own(SOURCE)
PLAN = render_plan(OWNER, "shop-plan", "{}", task="sync")
SECRET = render_secret(OWNER, "shop-destination")


def carry_out(api, *intents, store=None):
    store = store or Store(CONTROLLERS)
    performer = Performer(api, store, KINDS, Observer(api, store, CONTROLLERS, SETTINGS))
    asyncio.run(performer.carry_out(Decision(intents=intents)))


def without_owner(item):
    foreign = copy.deepcopy(item)
    foreign["metadata"] |= {"ownerReferences": [], "annotations": {}}
    return foreign


def of_a_former_owner(item):
    former = copy.deepcopy(item)
    former["metadata"]["ownerReferences"][0]["uid"] = "former"
    return former


STORED = StoreCredentials(SECRET, {"token": SecretStr("t")}, SOURCE, [])


@pytest.mark.parametrize(
    "intent",
    [
        pytest.param(Apply(PLAN), id="apply"),
        pytest.param(Create(PLAN), id="create"),
        pytest.param(CopySecret(SECRET, "ops", "lake", (*S3_KEYS, *S3_OPTIONAL_KEYS)), id="copy"),
        pytest.param(STORED, id="credentials"),
    ],
)
def test_an_object_of_somebody_else_is_named_and_left_alone(intent):
    lake = {"kind": "Secret", "metadata": {"namespace": "ops", "name": "lake"}, "data": {}}
    api = MemoryApi(without_owner(PLAN), without_owner(SECRET), lake)
    with pytest.raises(TakenError, match=r"(ConfigMap shop-plan|Secret shop-destination) already"):
        carry_out(api, intent)
    assert api.writes == []


def test_what_a_former_owner_has_left_is_waited_for():
    api = MemoryApi(of_a_former_owner(PLAN))
    with pytest.raises(ConflictError):
        carry_out(api, Apply(PLAN))
    assert api.writes == []


def test_an_object_of_ours_that_the_store_has_not_seen_is_not_written_again():
    api = MemoryApi(stamp(PLAN))
    carry_out(api, Apply(PLAN))
    assert api.writes == []


def test_of_the_default_credentials_only_the_keys_of_s3_are_copied():
    data = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "ROOT_PASSWORD": "c"}
    lake = {"kind": "Secret", "metadata": {"namespace": "ops", "name": "lake"}, "data": data}
    api = MemoryApi(lake)
    carry_out(api, CopySecret(SECRET, "ops", "lake", (*S3_KEYS, *S3_OPTIONAL_KEYS)))
    copied = api.items["Secret", "team", "shop-destination"]["data"]
    assert copied == {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


def test_a_field_that_the_manifest_no_longer_holds_is_written_away():
    before = render_schema_object(OWNER, "shop-orders", {"stream": "orders", "shouldSync": False})
    after = render_schema_object(OWNER, "shop-orders", {"stream": "orders"})
    api, store = MemoryApi(), Store(CONTROLLERS)
    for manifest in (before, before, after, after):
        carry_out(api, Apply(manifest), store=store)
    assert len(api.writes) == 2
    assert "shouldSync" not in api.items["ExternalDataSchema", "team", "shop-orders"]["spec"]


def test_a_field_that_somebody_else_changed_is_written_back():
    api, store = MemoryApi(), Store(CONTROLLERS)
    carry_out(api, Apply(PLAN), store=store)
    changed = copy.deepcopy(api.items["ConfigMap", "team", "shop-plan"])
    changed["data"] = {"plan.json": "[]"}
    changed["metadata"]["resourceVersion"] = "9"
    store.put(changed)
    carry_out(api, Apply(PLAN), store=store)
    assert len(api.writes) == 2


def test_credentials_of_a_spec_that_somebody_has_changed_are_moved_by_the_next_decision():
    api, store = MemoryApi(SOURCE), Store(CONTROLLERS)
    store.put(SOURCE)
    api.version = 9
    api.edit("ExternalDataSource", "team", "shop", tablePrefix="new_")
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}
    move = StoreCredentials(SECRET, {"token": SecretStr("t")}, SOURCE, [test])
    with pytest.raises(StaleError):
        carry_out(api, move, store=store)
    assert store.get("ExternalDataSource", "team", "shop")["spec"]["tablePrefix"] == "new_"


PLACE = ("ExternalDataSchema", "team", "shop-orders")


def schema_of(**spec):
    return render_schema_object(OWNER, "shop-orders", {"stream": "orders", **spec})


def a_schema_of_ours():
    """An API server and a store with a schema that the operator has made, as the store sees it."""
    api, store = MemoryApi(), Store(CONTROLLERS)
    carry_out(api, Apply(schema_of()), store=store)
    return api, store, store.get(*PLACE)


def test_a_change_that_was_decided_before_a_persons_edit_is_not_made():
    api, store, seen = a_schema_of_ours()
    api.edit(*PLACE, shouldSync=True)
    with pytest.raises(StaleError, match="ExternalDataSchema shop-orders was changed"):
        carry_out(api, Apply(schema_of(shouldSync=False), decided_on=seen), store=store)
    assert api.items[PLACE]["spec"]["shouldSync"] is True
    assert api.owners(*PLACE) == {"f:shouldSync"}
    # The next decision sees the edit, even where the watch is late.
    assert store.get(*PLACE)["spec"]["shouldSync"] is True


def test_a_change_is_not_made_where_the_edit_came_by_the_watch_during_the_look():
    api, store, seen = a_schema_of_ours()
    store.put(api.edit(*PLACE, shouldSync=True))
    with pytest.raises(StaleError):
        carry_out(api, Apply(schema_of(shouldSync=False), decided_on=seen), store=store)
    assert api.owners(*PLACE) == {"f:shouldSync"}


def test_a_status_that_was_written_meanwhile_does_not_hinder_a_change():
    api, store, seen = a_schema_of_ours()
    api.report(*PLACE, phase="Running")
    carry_out(api, Apply(schema_of(shouldSync=False), decided_on=seen), store=store)
    assert api.items[PLACE]["spec"]["shouldSync"] is False


def test_a_change_of_an_object_whose_status_never_rests_is_given_up():
    api, store, seen = a_schema_of_ours()
    tries = []

    def write_status():
        tries.append(api.report(*PLACE, phase=str(len(tries))))

    api.before_apply = write_status
    with pytest.raises(StaleError):
        carry_out(api, Apply(schema_of(shouldSync=False), decided_on=seen), store=store)
    assert 1 < len(tries) < 10


def test_a_schema_that_a_person_deleted_meanwhile_is_not_made_again_by_its_change():
    api, store, seen = a_schema_of_ours()
    del api.items[PLACE]
    with pytest.raises(StaleError):
        carry_out(api, Apply(schema_of(shouldSync=False), decided_on=seen), store=store)
    assert PLACE not in api.items
    assert store.get(*PLACE) is None


def test_an_unchanged_schema_is_not_written_at_every_look():
    api, store, seen = a_schema_of_ours()
    writes = len(api.writes)
    for _ in range(3):
        carry_out(api, Apply(schema_of(), decided_on=seen), store=store)
    assert len(api.writes) == writes


@pytest.mark.parametrize(
    ("live", "wanted", "same"),
    [("500m", "0.5", True), ("1Gi", "1024Mi", True), ("1", "2", False), ("a", "b", False)],
)
def test_a_quantity_is_the_same_however_the_server_writes_it(live, wanted, same):
    assert covers({"cpu": live}, {"cpu": wanted}) is same


def test_only_what_makes_a_pod_can_be_a_refused_pod():
    with pytest.raises(PodRefusedError):
        carry_out(MemoryApi(forbidden=[("create", "ConfigMap")]), Create(PLAN))
    schema = render_schema_object(OWNER, "shop-orders", {"stream": "orders"})
    gone = Delete("external-data.io/v1alpha1", "ExternalDataSchema", "team", "shop-orders")
    for verb, intent in (("patch", Apply(schema)), ("delete", gone)):
        with pytest.raises(ForbiddenError) as refused:
            carry_out(MemoryApi(forbidden=[(verb, "ExternalDataSchema")]), intent)
        assert type(refused.value) is ForbiddenError
