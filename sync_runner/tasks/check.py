"""A check: whether the source accepts the credentials, whether the destination can be written, and
which streams the source has."""

from collections.abc import Iterable

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import DiscoveredStream, Discovery, Plan, Task
from external_data_operator.api.schema import Column

from sync_runner.errors import ConfigurationError
from sync_runner.lake import check_destination
from sync_runner.lake.delta.schema import describe
from sync_runner.protocols import IsStopped, Progress
from sync_runner.records.columns import Columns
from sync_runner.records.sample import Sample, find_candidate_key, find_cursors
from sync_runner.sources import find_kind
from sync_runner.tasks.destinations import open_destination
from sync_runner.tasks.reporting import Done, Surroundings, report_on

DISCOVERED_COLUMNS_MAX = 2000
DISCOVERED_STREAMS_MAX = 20_000


def check(plan: Plan, given: Surroundings) -> Done:
    """One check. Errors become the report's failure."""
    found: list[Discovery] = []

    def work(is_stopped: IsStopped) -> None:
        probe = find_kind(plan).probe(
            plan, credentials=given.credentials, clock=given.clock, is_stopped=is_stopped
        )
        discovery = discover(probe.read_samples())
        assert plan.target is not None, "the plan of a check has a target"
        check_destination(open_destination(plan, plan.target, given.credentials))
        found.append(discovery)

    report = report_on(Task.CHECK, given, Progress(), work)
    return Done(report, found[0] if found else None)


def discover(samples: Iterable[Sample]) -> Discovery:
    """The streams, each with what its first rows show. Raises the errors of reading the samples,
    and ConfigurationError for more streams than a cluster can store for one source."""
    streams: list[DiscoveredStream] = []
    for sample in samples:
        if len(streams) == DISCOVERED_STREAMS_MAX:
            message = (
                f"The source has more than {DISCOVERED_STREAMS_MAX:,} streams, which is the limit. "
                "Use credentials that have access to fewer of them."
            )
            raise ConfigurationError(Reason.LIMIT_EXCEEDED, message)
        streams.append(_discover_one(sample))
    return Discovery(streams=streams)


def _discover_one(sample: Sample) -> DiscoveredStream:
    return DiscoveredStream(
        name=sample.name,
        description=sample.description,
        primary_key=sample.primary_key,
        columns=_find_columns(sample),
        incremental_fields=find_cursors(sample),
        incremental_field=None if sample.cursor is None else sample.cursor.name,
        candidate_key=find_candidate_key(sample),
        sampled_rows=0 if sample.records is None else sample.records.num_rows,
        notes=[*sample.notes, *_describe_unread(sample)],
        has_log=sample.has_log,
    )


def _describe_unread(sample: Sample) -> list[str]:
    """Of a stream whose first page could not be read, only the declaration is known."""
    if sample.unread is None:
        return []
    return [f"Its first page could not be read: {sample.unread} The first sync reads it again."]


def _find_columns(sample: Sample) -> list[Column]:
    """The columns that the table would have; those without any value yet have no type and are left
    out."""
    if sample.records is None:
        return []
    adopted = Columns({}, None).adopt(sample.records)
    return list(describe(adopted.schema))[:DISCOVERED_COLUMNS_MAX]
