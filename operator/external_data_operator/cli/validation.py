"""Problems between manifests: references, tables that two streams would write, schedules that
never fire.

The same rules as the operator's own, called the same way, so that a manifest which passes here is
not stalled there.
"""

from collections.abc import Iterator

from external_data_operator.api.problems import Problem
from external_data_operator.api.source import Destination
from external_data_operator.cli.manifests import (
    DataManifest,
    ManifestFinding,
    Manifests,
    SchemaManifest,
    SourceManifest,
)
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.naming import table_name
from external_data_operator.reconcile.plans.kinds import find_declared_streams, find_doubts
from external_data_operator.reconcile.plans.references import find_needs
from external_data_operator.reconcile.plans.streams import (
    find_stream,
    is_wanted,
    list_streams,
    pick_options,
)
from external_data_operator.reconcile.runs.schedule import Wish, find_schedule

_ANY_UID = "not-yet-known"
_Key = tuple[str, str, str]


def find_all_problems(manifests: Manifests) -> list[ManifestFinding]:
    """Everything, in the order of files and lines."""
    findings = [
        *manifests.findings,
        *_find_repeated(manifests),
        *_find_shared_tables(manifests),
    ]
    for source in manifests.sources:
        findings += [source.origin.report(found) for found in _judge_source(source, manifests)]
    for schema in manifests.schemas:
        findings += [schema.origin.report(found) for found in _judge_schema(schema, manifests)]
    return sorted(set(findings), key=lambda found: (found.file, found.line, str(found.problem)))


def find_all_doubts(manifests: Manifests) -> list[ManifestFinding]:
    """Valid fields that are likely a mistake, in the order of files and lines."""
    found = [
        source.origin.report(Problem(("spec", *doubt.location), doubt.message))
        for source in manifests.sources
        for doubt in find_doubts(source.spec)
    ]
    return sorted(found, key=lambda one: (one.file, one.line))


def find_source(manifests: Manifests, schema: SchemaManifest) -> SourceManifest | None:
    """The source of a schema, where the files hold it."""
    return next(
        (
            source
            for source in manifests.sources
            if source.origin.name == schema.spec.source_ref.name
            and source.origin.namespace == schema.origin.namespace
        ),
        None,
    )


def _find_repeated(manifests: Manifests) -> Iterator[ManifestFinding]:
    """One name for two objects of a kind, or one stream for two schemas."""
    named: set[_Key] = set()
    streams: dict[_Key, str] = {}
    pools = (manifests.sources, manifests.schemas, manifests.secrets, manifests.config_maps)
    for origin in (item.origin for pool in pools for item in pool):
        key = (origin.kind, origin.namespace, origin.name)
        if key in named:
            yield origin.report(
                Problem(("metadata", "name"), "is the name of another manifest in these files")
            )
        named.add(key)
    for schema in manifests.schemas:
        spec, origin = schema.spec, schema.origin
        stream = (origin.namespace, spec.source_ref.name, spec.stream)
        if stream in streams and streams[stream] != origin.name:
            message = f"schema {streams[stream]} already syncs this stream"
            yield origin.report(Problem(("spec", "stream"), message))
        streams[stream] = origin.name


def _judge_source(source: SourceManifest, manifests: Manifests) -> Iterator[Problem]:
    for need in find_needs(source.spec):
        pool = manifests.secrets if need.kind == "Secret" else manifests.config_maps
        given = _find_data(pool, need.name, source.origin.namespace)
        location = tuple(int(step) if step.isdigit() else step for step in need.location.split("."))
        for key in set(need.keys) - given.keys if given is not None else ():
            yield Problem(("spec", *location), f"{need.kind} {need.name} has no key {key}")


def _find_data(pool: list[DataManifest], name: str, namespace: str) -> DataManifest | None:
    return next(
        (item for item in pool if item.origin.name == name and item.origin.namespace == namespace),
        None,
    )


def _find_shared_tables(manifests: Manifests) -> Iterator[ManifestFinding]:
    """Two streams that would write one table. Names of one source differ by a rule of its kind;
    two sources of a namespace share a destination until one of them has a prefix."""
    writers: dict[tuple[str, Destination | None, str], str] = {}
    for source in manifests.sources:
        spec, origin = source.spec, source.origin
        for declared in find_declared_streams(spec) or ():
            name = declared.stream.name
            if not is_wanted(spec.schemas, name):
                continue
            table = table_name(spec.table_prefix, name)
            writer = writers.setdefault((origin.namespace, spec.destination, table), origin.name)
            if writer != origin.name:
                message = (
                    f"writes to table {table}, as does source {writer}; give one a tablePrefix"
                )
                yield origin.report(Problem(("spec", *declared.location), message))


def _judge_schema(schema: SchemaManifest, manifests: Manifests) -> Iterator[Problem]:
    spec = schema.spec
    wish = Wish(spec.sync_frequency, spec.sync_time_of_day, spec.cron, spec.time_zone)
    try:
        find_schedule(wish, _ANY_UID)
    except SpecError as error:
        yield _as_problem(error)
    source = find_source(manifests, schema)
    if source is None:
        return
    names = list_streams(source.spec, None)
    if names is None:
        # Only a check can tell which streams there are, with which keys and cursors.
        return
    stream = find_stream(source.spec, None, spec.stream)
    if stream is None:
        known = ", ".join(names)
        message = f"source {source.origin.name} has no stream of this name; its streams are {known}"
        yield Problem(("spec", "stream"), message)
        return
    try:
        pick_options(spec, stream)
    except SpecError as error:
        yield _as_problem(error)


def _as_problem(error: SpecError) -> Problem:
    """The operator's sentences name the field first: `cron: five fields are needed`."""
    field, separator, message = str(error).partition(": ")
    return Problem(("spec", field), message) if separator else Problem(("spec",), str(error))
