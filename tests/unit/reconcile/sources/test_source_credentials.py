"""Credentials of a source: inline ones move, missing ones are named, the lake's are copied."""

import json
from dataclasses import replace

import pytest
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import CopySecret, Data, Delete, StoreCredentials

from tests.unit.reconcile.sources.source_life import checked, look
from tests.unit.reconcile.worlds import (
    CREDENTIAL,
    SETTINGS,
    build_source,
    condition,
    created_jobs,
    later,
    observe_source,
    ready_of,
    text_of,
    with_annotation,
)

INLINE = {
    "rest": {
        "baseUrl": "https://api.shop.example",
        "auth": {"bearer": {"token": {"value": CREDENTIAL}}},
        "streams": [{"name": "orders", "path": "/orders"}],
    }
}


def test_a_missing_secret_is_named_with_its_field_and_looked_for_again():
    decision, _ = look(observe_source(secrets={}))
    assert ready_of(decision) == ("False", "SecretNotFound", False)
    assert condition(decision.status, "Reconciling") is not None
    message = condition(decision.status, "Ready")["message"]
    assert message == "Secret api does not exist. Create it, or correct rest.auth.bearer.token."
    assert decision.look_again_s == 5
    assert created_jobs(decision) == []


def test_a_missing_key_is_named():
    decision, _ = look(observe_source(secrets={"api": Data("1", frozenset({"tokn"}))}))
    message = condition(decision.status, "Ready")["message"]
    assert message == "Secret api has no key token. Create it, or correct rest.auth.bearer.token."


def test_the_pause_before_looking_for_a_secret_again_grows_to_a_minute():
    world = observe_source(secrets={})
    pauses = []
    for seconds in (0, 5, 20, 60, 300, 3600):
        decision, world = look(world, later(seconds=seconds))
        pauses.append(decision.look_again_s)
    assert pauses == [5, 5, 10, 30, 60, 60]


def test_work_goes_on_by_itself_once_the_secret_is_there():
    _, world = look(observe_source(secrets={}))
    there = replace(world, secrets={"api": Data("1", frozenset({"token"}))})
    decision, _ = look(there, later(seconds=5))
    assert len(created_jobs(decision)) == 1
    assert ready_of(decision) == ("Unknown", "Progressing", False)


def test_an_inline_credential_moves_into_an_owned_secret_before_anything_else():
    source = build_source(**INLINE)
    kept = json.dumps({"kind": "ExternalDataSource", "spec": INLINE})
    source = with_annotation(source, marks.LAST_APPLIED, kept)
    decision, _ = look(observe_source(source, secrets={}))
    (move,) = decision.intents
    assert isinstance(move, StoreCredentials)
    assert move.secret["metadata"]["name"] == "shop-credentials"
    assert move.secret["metadata"]["ownerReferences"][0]["uid"] == "source-uid"
    assert move.values["rest.auth.bearer.token"].get_secret_value() == CREDENTIAL
    assert move.patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}
    reference = {"secretKeyRef": {"name": "shop-credentials", "key": "rest.auth.bearer.token"}}
    assert move.patch[1] == {
        "op": "replace",
        "path": "/spec/rest/auth/bearer/token",
        "value": reference,
    }
    cleaned = json.loads(move.patch[2]["value"])
    assert cleaned["spec"]["rest"]["auth"]["bearer"]["token"] == reference
    assert CREDENTIAL not in text_of(decision)
    assert CREDENTIAL not in json.dumps(move.patch)


def test_a_secret_of_that_name_that_belongs_to_somebody_else_is_left_alone():
    theirs = {"shop-credentials": Data("1", frozenset({"x"}), owner_uid=None)}
    decision, _ = look(observe_source(build_source(**INLINE), secrets=theirs))
    (move,) = decision.intents
    assert move.secret["metadata"]["name"].startswith("shop-credentials-")


def test_an_operator_that_refuses_inline_credentials_says_which_field_and_touches_nothing():
    settings = SETTINGS.model_copy(update={"reject_inline_credentials": True})
    decision, _ = look(observe_source(build_source(**INLINE), secrets={}), settings=settings)
    assert ready_of(decision) == ("False", "InlineCredentialsRefused", True)
    assert decision.intents == ()
    message = condition(decision.status, "Ready")["message"]
    assert message.startswith("The spec contains a credential in rest.auth.bearer.token.value,")
    assert CREDENTIAL not in text_of(decision)


def test_our_own_secret_goes_once_the_spec_refers_to_another_one():
    ours = Data("1", frozenset({"rest.auth.bearer.token"}), owner_uid="source-uid")
    world = checked(
        observe_source(secrets={"api": Data("1", frozenset({"token"})), "shop-credentials": ours})
    )
    decision, _ = look(world)
    assert Delete("v1", "Secret", "team", "shop-credentials") in decision.intents


LAKE = {"s3": {"bucket": "lake", "credentialsSecretRef": {"name": "lake"}}}
LAKE_SETTINGS = type(SETTINGS)(namespace="ops", runner_image="r:1", default_destination=LAKE)
KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})


def with_copy(version="1", owner="source-uid", copied_from="9"):
    """A source with a copy of the default lake's credentials."""
    world = observe_source(default_secret=Data("9", KEYS))
    mine = Data(version, KEYS, owner_uid=owner, copied_from=copied_from)
    return replace(world, secrets={**world.secrets, "shop-destination": mine})


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(observe_source(default_secret=Data("9", KEYS)), id="missing"),
        pytest.param(with_copy(copied_from="8"), id="old"),
        pytest.param(with_copy(owner=None), id="not ours"),
    ],
)
def test_the_default_destinations_credentials_are_copied_before_anything_else(world):
    decision, _ = look(world, settings=LAKE_SETTINGS)
    (copied,) = decision.intents
    assert isinstance(copied, CopySecret)
    assert (copied.from_namespace, copied.from_name) == ("ops", "lake")
    assert copied.secret["metadata"]["name"] == "shop-destination"
    assert decision.look_again_s is not None


def test_with_its_copy_a_source_is_checked_and_once_more_with_another_copy():
    decision, world = look(with_copy(), settings=LAKE_SETTINGS)
    assert not [one for one in decision.intents if isinstance(one, CopySecret | Delete)]
    (first,) = created_jobs(decision)
    decision, _ = look(replace(world, secrets=with_copy("2").secrets), settings=LAKE_SETTINGS)
    (second,) = created_jobs(decision)
    assert first["metadata"]["name"] != second["metadata"]["name"]


def test_a_missing_secret_of_the_default_destination_is_the_administrators_to_make():
    s3 = {"s3": {"bucket": "lake", "credentialsSecretRef": {"name": "lake"}}}
    settings = type(SETTINGS)(namespace="ops", runner_image="r:1", default_destination=s3)
    decision, _ = look(observe_source(), settings=settings)
    assert (
        "Secret lake in namespace ops does not exist."
        in condition(decision.status, "Ready")["message"]
    )
