"""From manifests to plans: the same decisions as the operator's, for the streams that were asked
for.

What a cluster alone knows (a default destination, openings of the network) comes from options
instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from external_data_operator.api.meta import ObjectRef
from external_data_operator.api.plan import FileDestination, Plan, SyncOptions, TableTarget
from external_data_operator.api.problems import find_problems
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import Destination, EnablePolicy, S3Destination, SourceSpec
from external_data_operator.cli.exits import CommandError, Exit
from external_data_operator.cli.manifests import Manifests, SourceManifest
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.plans.catalogue import Findings
from external_data_operator.reconcile.plans.kinds import (
    find_declared_streams,
    has_feed,
    narrow_source,
)
from external_data_operator.reconcile.plans.plan import (
    SourcePlace,
    build_check_plan,
    build_feed_plan,
)
from external_data_operator.reconcile.plans.streams import (
    find_stream,
    is_wanted,
    list_streams,
    pick_options,
)
from external_data_operator.settings import AllowRule, Settings

Known = Mapping[tuple[str, str], Findings]
"""What a check has found, by the namespace and name of the source."""
_NOTHING: Known = {}
_HOW_TO_SAY_WHERE = "file:///folder or s3://bucket/prefix"
_NOT_USED = Destination(s3=S3Destination(bucket="not-used"))
"""A placeholder for a plan that needs a bucket, until `_redirect` replaces it."""


@dataclass(frozen=True)
class Wishes:
    """Options of the command line."""

    streams: Sequence[str] = ()
    private_cidrs: Sequence[str] = ()
    target: TableTarget | None = None
    """Instead of the destination of the source; its path is not used."""

    def wants(self, stream: str) -> bool:
        """Whether this stream was asked for; all are where none was named."""
        return not self.streams or stream in self.streams


def parse_target(address: str, *, endpoint: str, region: str) -> TableTarget:
    """Where `--destination` leads. Raises CommandError."""
    parts = urlsplit(address)
    if parts.scheme == "file" and not parts.netloc and parts.path:
        return TableTarget(file=FileDestination(path=unquote(parts.path)), path="", trusted=True)
    if parts.scheme != "s3" or not parts.netloc:
        raise CommandError(f"--destination: must be {_HOW_TO_SAY_WHERE}", Exit.USAGE)
    values = {
        "bucket": parts.netloc,
        "prefix": parts.path.strip("/"),
        "endpoint": endpoint,
        "region": region,
    }
    try:
        return TableTarget(s3=S3Destination.model_validate(values), path="", trusted=True)
    except ValidationError as error:
        found = "; ".join(map(str, find_problems(error)))
        raise CommandError(f"--destination: {found}", Exit.USAGE) from None


def parse_cidrs(texts: Sequence[str]) -> list[str]:
    """The networks of `--allow-private-host`. Raises CommandError."""
    try:
        return [str(ip_network(text, strict=False)) for text in texts]
    except ValueError as error:
        raise CommandError(f"--allow-private-host: {error}", Exit.USAGE) from None


def build_sync_plans(manifests: Manifests, wishes: Wishes, known: Known = _NOTHING) -> list[Plan]:
    """A plan for each table that would be synced, or for all those that one feed fills, in the
    order of the files; a source whose streams neither the spec nor `known` lists has no plan.
    Raises CommandError."""
    refuse_unknown(manifests, wishes, known)
    return [
        plan
        for source in manifests.sources
        for plan in _build_source_plans(source, manifests, wishes, known.get(source.key))
    ]


def build_check_plans(manifests: Manifests, wishes: Wishes) -> list[Plan]:
    """A plan for each source, of the selected streams; a source whose streams only a check can
    list stays whole. Raises CommandError."""
    refuse_unknown(manifests, wishes, _NOTHING)
    plans = (build_source_plan(source, wishes) for source in manifests.sources)
    return [plan for plan in plans if plan is not None]


def build_source_plan(source: SourceManifest, wishes: Wishes) -> Plan | None:
    """The check of one source; None if it has none of the streams that were asked for. Raises
    CommandError."""
    spec = _narrow(source.spec, wishes)
    if spec is None:
        return None
    with _blaming(source):
        plan = build_check_plan(_with_destination(spec, wishes), _place(source, wishes))
    return _redirect(plan, wishes)


def _build_source_plans(
    source: SourceManifest, manifests: Manifests, wishes: Wishes, found: Findings | None
) -> list[Plan]:
    with _blaming(source):
        tables = [
            _pick_options(source, stream, manifests, found)
            for stream in _choose_streams(source, manifests, wishes, found)
        ]
        if not tables:
            return []
        spec = _with_destination(source.spec, wishes)
        # A log that fills several tables is read once.
        runs = [tables] if has_feed(spec) else [[table] for table in tables]
        plans = [build_feed_plan(spec, _place(source, wishes), run) for run in runs]
    return [_redirect(plan, wishes) for plan in plans]


def _pick_options(
    source: SourceManifest, name: str, manifests: Manifests, found: Findings | None
) -> SyncOptions:
    schema = _find_schema(source, name, manifests)
    if schema is None:
        schema = SchemaSpec(source_ref=ObjectRef(name=source.origin.name), stream=name)
    stream = find_stream(source.spec, found, name)
    assert stream is not None, "it was listed"
    return pick_options(schema, stream)


@contextmanager
def _blaming(source: SourceManifest) -> Iterator[None]:
    """Turns a SpecError into a CommandError that names the source."""
    try:
        yield
    except SpecError as error:
        raise CommandError(f"{source.origin.kind}/{source.origin.name}: {error}") from None


def _with_destination(spec: SourceSpec, wishes: Wishes) -> SourceSpec:
    """The source with the destination of the command line."""
    if wishes.target is None:
        if spec.destination is None:
            message = f"no destination: set --destination {_HOW_TO_SAY_WHERE}"
            raise CommandError(f"{message}, or spec.destination", Exit.USAGE)
        return spec
    s3 = wishes.target.s3
    place = _NOT_USED if s3 is None else Destination(s3=s3)
    return spec.model_copy(update={"destination": place})


def _redirect(plan: Plan, wishes: Wishes) -> Plan:
    """The plan's own folder, below the place that was asked for."""
    if wishes.target is None:
        return plan
    wanted = wishes.target

    def redirect(target: TableTarget) -> TableTarget:
        return wanted.model_copy(update={"path": target.path})

    tables = [one.model_copy(update={"target": redirect(one.target)}) for one in plan.tables]
    target = None if plan.target is None else redirect(plan.target)
    return plan.model_copy(update={"tables": tables, "target": target})


def refuse_unknown(manifests: Manifests, wishes: Wishes, known: Known) -> None:
    """Raises CommandError for a stream that no source has. Does nothing while the streams of a
    source are unknown."""
    lists = [list_streams(source.spec, known.get(source.key)) for source in manifests.sources]
    names = {name for one in lists for name in one or ()}
    for name in wishes.streams:
        if name not in names and None not in lists:
            message = f"--stream: no source has {name}; the streams are {', '.join(sorted(names))}"
            raise CommandError(message, Exit.USAGE)


def _narrow(spec: SourceSpec, wishes: Wishes) -> SourceSpec | None:
    """The source with only the streams that were named; None where it has none of them."""
    declared = find_declared_streams(spec)
    if not wishes.streams or declared is None:
        return spec
    streams = {one.stream.name for one in declared} & set(wishes.streams)
    return narrow_source(spec, streams) if streams else None


def _place(source: SourceManifest, wishes: Wishes) -> SourcePlace:
    cidrs = tuple(wishes.private_cidrs)
    rules = (AllowRule(namespaces=("*",), cidrs=cidrs),) if cidrs else ()
    settings = Settings(namespace="local", runner_image="this-process", allow_private_hosts=rules)
    return SourcePlace(settings, source.origin.namespace, source.origin.name)


def _choose_streams(
    source: SourceManifest, manifests: Manifests, wishes: Wishes, found: Findings | None
) -> Iterator[str]:
    """Those that were named; else those that the operator would sync."""
    policy = source.spec.schemas
    for stream in list_streams(source.spec, found) or ():
        schema = _find_schema(source, stream, manifests)
        if wishes.streams:
            chosen = stream in wishes.streams
        elif schema is not None:
            chosen = schema.should_sync
        else:
            chosen = policy.enable is EnablePolicy.ALL and is_wanted(policy, stream)
        if chosen:
            yield stream


def _find_schema(source: SourceManifest, stream: str, manifests: Manifests) -> SchemaSpec | None:
    return next(
        (
            schema.spec
            for schema in manifests.schemas
            if schema.origin.namespace == source.origin.namespace
            and schema.spec.source_ref.name == source.origin.name
            and schema.spec.stream == stream
        ),
        None,
    )
