"""Plans for the runner, and the fingerprint that decides when to check or retry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from external_data_operator.api.meta import ObjectRef
from external_data_operator.api.plan import (
    Limits,
    NetworkPolicy,
    Plan,
    SyncOptions,
    TablePlan,
    TableTarget,
    Task,
)
from external_data_operator.api.source import Destination, S3Destination, SourceSpec
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.naming import (
    OBJECT_NAME_MAX,
    hash_of,
    suffixed,
    table_name,
)
from external_data_operator.reconcile.plans.kinds import narrow_source
from external_data_operator.reconcile.plans.references import S3_KEYS, Need, find_needs
from external_data_operator.settings import Settings


@dataclass(frozen=True)
class SourcePlace:
    """The namespace and name of a source, and the operator's settings."""

    settings: Settings
    namespace: str
    source: str


def destination_copy(source: str) -> str:
    """Name of our copy of the default destination's credentials."""
    return suffixed(source, "destination", length_max=OBJECT_NAME_MAX)


def default_secret_name(spec: SourceSpec, settings: Settings) -> str | None:
    """The Secret of the operator's namespace that this source needs a copy of."""
    if spec.destination is not None or settings.default_destination is None:
        return None
    ref = settings.default_destination.s3.credentials_secret_ref
    return None if ref is None else ref.name


def all_needs(spec: SourceSpec, place: SourcePlace) -> list[Need]:
    """What the pods of this source mount: what the spec refers to, and our copy for the default
    destination."""
    needs = find_needs(spec)
    if default_secret_name(spec, place.settings) is not None:
        copy = destination_copy(place.source)
        needs.append(Need("Secret", copy, S3_KEYS, "the operator's default destination"))
    return needs


def find_target(spec: SourceSpec, place: SourcePlace, table: str | None) -> TableTarget:
    """The place of a table, or of all tables of the source. Raises SpecError without a
    destination."""
    path = place.namespace if table is None else f"{place.namespace}/{table}"
    if spec.destination is not None:
        return TableTarget(s3=spec.destination.s3, path=path)
    if place.settings.default_destination is None:
        raise SpecError(
            "destination: is required, because this operator has no default destination"
        )
    return TableTarget(
        s3=_default_s3(place.settings.default_destination, place), path=path, trusted=True
    )


def _default_s3(destination: Destination, place: SourcePlace) -> S3Destination:
    s3 = destination.s3
    if s3.credentials_secret_ref is None:
        return s3
    copy = ObjectRef(name=destination_copy(place.source))
    return s3.model_copy(update={"credentials_secret_ref": copy})


def build_check_plan(spec: SourceSpec, place: SourcePlace) -> Plan:
    """The plan of a check of the source."""
    return Plan(
        task=Task.CHECK,
        namespace=place.namespace,
        source=place.source,
        target=find_target(spec, place, None),
        network=NetworkPolicy(private_cidrs=place.settings.private_cidrs(place.namespace)),
        **_take_source(spec),
    )


def build_sync_plan(spec: SourceSpec, place: SourcePlace, options: SyncOptions) -> Plan:
    """The plan of a sync of one stream, without the source's other streams."""
    return build_feed_plan(spec, place, [options])


def build_feed_plan(spec: SourceSpec, place: SourcePlace, tables: Sequence[SyncOptions]) -> Plan:
    """The plan of a sync of several streams at once, without all others."""
    return Plan(
        task=Task.SYNC,
        namespace=place.namespace,
        source=place.source,
        tables=[_build_table(spec, place, options) for options in tables],
        limits=Limits(seconds=place.settings.run_deadline_seconds),
        network=NetworkPolicy(private_cidrs=place.settings.private_cidrs(place.namespace)),
        **_take_source(narrow_source(spec, [options.stream for options in tables])),
    )


def _build_table(spec: SourceSpec, place: SourcePlace, options: SyncOptions) -> TablePlan:
    name = table_name(spec.table_prefix, options.stream)
    return TablePlan(sync=options, target=find_target(spec, place, name))


def _take_source(spec: SourceSpec) -> dict[str, Any]:
    """The kind's own spec, under the key that plan and spec share."""
    return {str(spec.kind): spec.chosen}


def plan_text(plan: Plan) -> str:
    """The plan as JSON, the same text for the same plan."""
    return plan.model_dump_json(by_alias=True, exclude_none=True, indent=1)


def runtime_text(spec: SourceSpec) -> str:
    """The settings of the source's pods, which may resolve a failure for good, too."""
    return spec.runtime.model_dump_json(by_alias=True, exclude_none=True)


def fingerprint_of(*parts: str) -> str:
    """One word for these parts together."""
    return hash_of(*parts, length=16)
