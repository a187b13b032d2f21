"""The kinds of sync that crash tests go through, and what each must leave in the table."""

from dataclasses import dataclass, replace
from pathlib import Path

from external_data_operator.api.schema import SyncType

from tests.contract.lake_pod import Job, Place, folder_place, options_for
from tests.contract.lake_reading import Row, find_differences, read_duckdb, read_polars
from tests.contract.lake_world import Kind, World


@dataclass(frozen=True)
class Scenario:
    """A sync type at a source of one kind, whose rows change while they are read."""

    name: str
    sync_type: SyncType
    kind: Kind

    @property
    def by(self) -> str:
        """The column that names a row of the table."""
        return "seq" if self.kind is Kind.EVENTS else "id"

    def build(self, folder: Path, *, seed: int, place: Place | None = None) -> Job:
        """The job, on a world that has begun."""
        folder.mkdir(parents=True, exist_ok=True)
        world = World(folder, seed)
        world.advance(130)
        where = place or folder_place(folder / "lake")
        options = options_for(self.sync_type)
        if self.kind is Kind.CHANGES:
            changes = {"incremental_field": None, "applies_changes": True}
            options = options.model_copy(update=changes | {"incremental_field_type": None})
        return Job(where, world, self.kind, options, growth=2)

    def find_differences(self, job: Job, rows: list[Row], *, since: int) -> list[str]:
        """What is wrong with the table of a finished run; `since` is the moment at which it
        began.
        """
        now = job.world.now()
        if self.kind is Kind.EVENTS:
            return find_differences(rows, list(map(job.world.event, range(1, now + 1))), by="seq")
        if self.kind is Kind.CHANGES:
            wanted = [row for row in job.world.state(now).values() if not job.world.is_gone(row)]
            return find_differences(rows, wanted, by="id")
        if self.kind is Kind.ASCENDING:
            return find_differences(rows, list(job.world.state(now).values()), by="id")
        best = [f"no moment between {since} and {now} is the table's"] * 1000
        for moment in range(since, now + 1):
            wanted = list(job.world.state(moment).values())
            best = min(best, find_differences(rows, wanted, by="id"), key=len)
        return best


SCENARIOS = (
    Scenario("full-refresh", SyncType.FULL_REFRESH, Kind.SNAPSHOT),
    Scenario("append", SyncType.APPEND, Kind.EVENTS),
    Scenario("incremental-ascending", SyncType.INCREMENTAL, Kind.ASCENDING),
    Scenario("incremental-unordered", SyncType.INCREMENTAL, Kind.SNAPSHOT),
    Scenario("changes", SyncType.INCREMENTAL, Kind.CHANGES),
)


def read_rows(job: Job) -> list[Row]:
    """The table's rows: by DuckDB over a replay of its log while that is whole, else by Polars."""
    store = job.place.open()
    folder = Path(store.uri.removeprefix("file://"))
    if store.uri.startswith("file://") and (folder / "_delta_log" / f"{0:020}.json").exists():
        return read_duckdb(folder)
    return read_polars(store.uri, store.options)


def grown(job: Job, growth: int) -> Job:
    """The same job, with another number of events on each page."""
    return replace(job, growth=growth)
