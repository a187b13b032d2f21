"""What `external-data run` would do: which tables, where to, with which plans."""

from pathlib import Path

import pytest
from external_data_operator.api.plan import Plan, Task
from external_data_operator.api.schema import SyncType
from external_data_operator.cli.exits import CommandError, Exit
from external_data_operator.cli.manifests import Manifests, read_manifests
from external_data_operator.cli.planning import (
    Wishes,
    build_check_plans,
    build_sync_plans,
    parse_cidrs,
    parse_target,
)

ROOT = Path(__file__).parents[3]
LOCAL = parse_target("file:///tmp/lake", endpoint="", region="us-east-1")


def example(name: str) -> Manifests:
    return read_manifests([str(ROOT / "examples" / name)])


def streams_of(plans: list[Plan]) -> list[str]:
    return [one.sync.stream for plan in plans for one in plan.tables]


def test_every_stream_of_a_source_is_synced_into_its_own_folder() -> None:
    plans = build_sync_plans(example("02-rest-cursor.yaml"), Wishes(target=LOCAL))
    assert [plan.only.target.uri for plan in plans] == [
        "file:///tmp/lake/analytics/shop_orders",
        "file:///tmp/lake/analytics/shop_customers",
    ]
    assert {plan.task for plan in plans} == {Task.SYNC}


def test_the_sync_type_is_picked_as_the_operator_does() -> None:
    plans = build_sync_plans(example("02-rest-cursor.yaml"), Wishes(target=LOCAL))
    picked = [plan.only.sync.sync_type for plan in plans]
    assert picked == [SyncType.INCREMENTAL, SyncType.FULL_REFRESH]


def test_a_schema_in_the_files_decides_how_its_stream_is_synced() -> None:
    plans = build_sync_plans(example("01-cluster-inventory"), Wishes(target=LOCAL))
    columns = {plan.only.sync.stream: plan.only.sync.enabled_columns for plan in plans}
    assert columns["pods"] == ["metadata", "status"]
    assert columns["nodes"] is None
    assert len(plans) == 7


def test_a_source_that_enables_nothing_syncs_only_what_a_schema_names() -> None:
    manifests = example("07-own-schema.yaml")
    assert streams_of(build_sync_plans(manifests, Wishes(target=LOCAL))) == ["contacts"]


def test_a_named_stream_is_synced_whatever_the_policy_says() -> None:
    manifests = example("07-own-schema.yaml")
    assert streams_of(build_sync_plans(manifests, Wishes(["deals"], target=LOCAL))) == ["deals"]


def test_an_unknown_stream_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(CommandError, match="the streams are contacts, deals") as refused:
        build_sync_plans(example("07-own-schema.yaml"), Wishes(["dealz"], target=LOCAL))
    assert refused.value.status is Exit.USAGE


def test_without_a_destination_the_command_says_how_to_give_one() -> None:
    with pytest.raises(CommandError, match="--destination"):
        build_sync_plans(example("02-rest-cursor.yaml"), Wishes())


def test_a_destination_of_the_source_is_used() -> None:
    (plan,) = build_sync_plans(example("08-s3-destination.yaml"), Wishes())
    assert plan.only.target.uri == "s3://team-lake/raw/stores/analytics/stores"
    assert plan.only.target.s3 is not None
    assert plan.only.target.s3.credentials_secret_ref is not None
    assert not plan.only.target.trusted


def test_a_bucket_that_was_asked_for_takes_the_place_of_the_sources() -> None:
    target = parse_target("s3://other/a/b", endpoint="http://127.0.0.1:8333", region="r1")
    (plan,) = build_sync_plans(example("08-s3-destination.yaml"), Wishes(target=target))
    assert plan.only.target.uri == "s3://other/a/b/analytics/stores"
    assert plan.only.target.s3 is not None
    assert plan.only.target.s3.endpoint == "http://127.0.0.1:8333"
    assert plan.only.target.s3.region == "r1"
    assert plan.only.target.s3.credentials_secret_ref is None
    assert plan.only.target.trusted, "who types an address may reach it"


@pytest.mark.parametrize(
    "address",
    ["/tmp/lake", "file://host/lake", "file://", "s3://", "gs://lake", "s3://Bad_Bucket/x"],
)
def test_an_address_that_leads_nowhere_is_refused(address: str) -> None:
    with pytest.raises(CommandError, match="--destination") as refused:
        parse_target(address, endpoint="", region="us-east-1")
    assert refused.value.status is Exit.USAGE


def test_an_escaped_folder_is_the_folder() -> None:
    target = parse_target("file:///tmp/my%20lake", endpoint="", region="r")
    assert target.file is not None
    assert target.file.path == "/tmp/my lake"


def test_private_networks_are_closed_until_they_are_opened() -> None:
    manifests = example("09-private-host.yaml")
    (closed,) = build_sync_plans(manifests, Wishes(target=LOCAL))
    assert closed.network.private_cidrs == []
    cidrs = parse_cidrs(["10.1.2.3/8"])
    (opened,) = build_sync_plans(manifests, Wishes(private_cidrs=cidrs, target=LOCAL))
    assert opened.network.private_cidrs == ["10.0.0.0/8"]


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="--allow-private-host"):
        parse_cidrs(["localhost"])


def test_a_check_asks_only_the_streams_that_were_named() -> None:
    manifests = example("02-rest-cursor.yaml")
    (plan,) = build_check_plans(manifests, Wishes(["customers"], target=LOCAL))
    assert plan.task is Task.CHECK
    assert plan.rest is not None
    assert [stream.name for stream in plan.rest.streams] == ["customers"]
    assert plan.target is not None
    assert plan.target.uri == "file:///tmp/lake/analytics"


def test_what_the_operator_would_refuse_is_a_sentence() -> None:
    manifests = example("07-own-schema.yaml")
    (schema,) = manifests.schemas
    wrong = schema.spec.model_copy(update={"primary_key_columns": []})
    manifests.schemas[0] = type(schema)(schema.origin, wrong)
    with pytest.raises(CommandError, match="Incremental requires a primary key"):
        build_sync_plans(manifests, Wishes(target=LOCAL))
