"""One look at a schema: what is known before anything is decided, and what was found."""

from dataclasses import dataclass
from datetime import datetime

from external_data_operator.api.plan import SyncOptions
from external_data_operator.api.schema import SchemaSpec, SchemaStatus
from external_data_operator.reconcile.base.parsing import read_status
from external_data_operator.reconcile.base.status import Verdict
from external_data_operator.reconcile.base.world import Intent
from external_data_operator.reconcile.plans.stream import Stream
from external_data_operator.reconcile.runs.history import read_known_runs
from external_data_operator.reconcile.runs.run import Run, find_active, find_last_run
from external_data_operator.reconcile.schemas.jobs import SYNC
from external_data_operator.reconcile.schemas.observed import ObservedSchema
from external_data_operator.settings import Settings


@dataclass(frozen=True)
class SchemaLook:
    """One look at a schema."""

    observed: ObservedSchema
    status: SchemaStatus
    settings: Settings
    now: datetime
    runs: tuple[Run, ...]

    @property
    def active(self) -> Run | None:
        """The active run."""
        return find_active(self.runs)

    @property
    def last(self) -> Run | None:
        """The newest run that ended."""
        return find_last_run(self.runs)


@dataclass(frozen=True)
class SchemaFinding:
    """What is known beside the runs; fields that are not known stay as they were."""

    verdict: Verdict
    intents: tuple[Intent, ...] = ()
    paused: bool = False
    stream: Stream | None = None
    spec: SchemaSpec | None = None
    options: SyncOptions | None = None
    next_sync: datetime | None = None
    requests: dict[str, str] | None = None
    look_again_s: float | None = None


def look_at_schema(observed: ObservedSchema, settings: Settings, now: datetime) -> SchemaLook:
    """The schema with its own status and its runs."""
    status = read_status(SchemaStatus, observed.schema)
    runs = tuple(read_known_runs(observed.children, SYNC, status))
    return SchemaLook(observed, status, settings, now, runs)
