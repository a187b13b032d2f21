"""`check`, `discover` and `preview`: they read a source and keep no data."""

from collections.abc import Iterator, Sequence

from external_data_operator.api.plan import DiscoveredStream, Discovery, Plan
from external_data_operator.api.schema import Candidate
from external_data_operator.cli.asking import ask_all
from external_data_operator.cli.display import drop_empty, worst
from external_data_operator.cli.exits import Exit
from external_data_operator.cli.planning import build_check_plans
from external_data_operator.cli.session import CommandSession, writing_nowhere
from external_data_operator.reconcile.plans.stream import from_discovery
from external_data_operator.reconcile.schemas.candidates import find_candidates
from sync_runner.errors import RunError
from sync_runner.records.sample import Sample
from sync_runner.sources import find_kind
from sync_runner.transport.clock import SystemClock

_COLUMNS_SHOWN = 8
_CELL_MAX = 60
_DISCOVERY_HEAD = ("STREAM", "COLUMNS", "KEY", "CURSOR")
_COLUMNS_HEAD = ("STREAM", "COLUMN", "TYPE")


def run_check(session: CommandSession) -> Exit:
    """Whether a sync could succeed. The destination is checked only if it is known."""
    wishes, manifests = session.wishes, session.manifests
    known = wishes.target is not None or all(
        source.spec.destination is not None for source in manifests.sources
    )
    if known:
        return _check_all(session)
    session.display.note("Without --destination, only the source is checked.")
    with writing_nowhere(session) as asking:
        return _check_all(asking)


def run_discover(session: CommandSession) -> Exit:
    """The streams of each source, from one page of each."""
    with writing_nowhere(session) as asking:
        statuses = []
        for plan, status, discovery in ask_all(asking):
            statuses.append(status)
            if discovery is not None:
                _show_discovery(asking, plan, discovery)
        return worst(statuses)


def run_preview(session: CommandSession) -> Exit:
    """The first rows of the first page of each stream."""
    with writing_nowhere(session) as asking:
        plans = build_check_plans(asking.manifests, asking.wishes)
        return worst([_preview(asking, plan) for plan in plans])


def _check_all(session: CommandSession) -> Exit:
    statuses = []
    for plan, status, discovery in ask_all(session):
        statuses.append(status)
        if discovery is not None:
            names = [stream.name for stream in discovery.streams]
            notes = [f"{one.name}: {note}" for one in discovery.streams for note in one.notes]
            found = {one.name: _dump(_find_candidates(one)) for one in discovery.streams}
            candidates = drop_empty(found)
            more = drop_empty({"notes": notes, "candidates": candidates})
            session.display.say(event="checked", source=plan.source, streams=names, **more)
            session.display.note(f"{plan.source}: ready, {len(names)} streams")
            for note in notes:
                session.display.note(note)
            _show_candidates(session, discovery)
    return worst(statuses)


def _show_discovery(session: CommandSession, plan: Plan, discovery: Discovery) -> None:
    display = session.display
    for stream in discovery.streams:
        told = stream.model_dump(mode="json", by_alias=True, exclude_none=True)
        told["candidates"] = _dump(_find_candidates(stream))
        display.say(event="discovered", source=plan.source, **told)
    display.print_table(_DISCOVERY_HEAD, [_build_row(stream) for stream in discovery.streams])
    columns = [
        [stream.name, column.name, column.data_type]
        for stream in discovery.streams
        for column in stream.columns
    ]
    if columns:
        display.note("")
        display.print_table(_COLUMNS_HEAD, columns)
    _show_candidates(session, discovery)


def _find_candidates(stream: DiscoveredStream) -> list[Candidate]:
    return find_candidates(from_discovery(stream))


def _dump(candidates: Sequence[Candidate]) -> list[dict[str, str]]:
    return [one.model_dump(mode="json", by_alias=True) for one in candidates]


def _show_candidates(session: CommandSession, discovery: Discovery) -> None:
    """Keys and cursors that the rows suggest."""
    for stream in discovery.streams:
        for one in _find_candidates(stream):
            session.display.note(f"{stream.name}: not declared: {one.line}  # {one.why}")


def _build_row(stream: DiscoveredStream) -> list[str | int | None]:
    others = [field.name for field in stream.incremental_fields]
    cursor = stream.incremental_field or (f"maybe {', '.join(others)}" if others else None)
    return [stream.name, len(stream.columns), ", ".join(stream.primary_key), cursor]


def _preview(session: CommandSession, plan: Plan) -> Exit:
    try:
        return worst(
            [_show_sample(session, plan, sample) for sample in _read_samples(session, plan)]
        )
    except RunError as error:
        session.display.fail(plan.source, error.failure())
        return Exit(error.exit_code)


def _read_samples(session: CommandSession, plan: Plan) -> Iterator[Sample]:
    probe = find_kind(plan).probe(
        plan,
        credentials=session.credentials_of(plan),
        clock=SystemClock(),
        is_stopped=lambda: False,
    )
    samples = probe.read_samples()
    return (sample for sample in samples if session.wishes.wants(sample.name))


def _show_sample(session: CommandSession, plan: Plan, sample: Sample) -> Exit:
    display = session.display
    if sample.unread is not None:
        display.fail(sample.name, sample.unread.failure())
        return Exit(sample.unread.exit_code)
    if sample.records is None:
        display.note(f"{sample.name}: only the first streams are asked; use --stream for this one")
        return Exit.OK
    rows = sample.records.slice(0, session.rows_max).to_pylist()
    for row in rows:
        display.say(event="row", source=plan.source, stream=sample.name, row=row)
    names = sample.records.schema.names[:_COLUMNS_SHOWN]
    hidden = len(sample.records.schema.names) - len(names)
    more = f", {hidden} more columns" if hidden else ""
    display.note(f"{sample.name}: {len(rows)} of {sample.records.num_rows} rows{more}")
    cells = [[row[name] for name in names] for row in rows]
    display.print_table(names, cells, cell_max=_CELL_MAX)
    return Exit.OK
