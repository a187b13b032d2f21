"""The table of actions, which annotations request.

The annotation `external-data.io/<name>` takes any new token as its value, and the status records
the last token of each action that the operator has handled, so that applying the same manifest
again has no effect. The effect of an action is data here; the operator and the reference pages
read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from external_data_operator.api.meta import API_GROUP
from external_data_operator.api.plan import Task
from external_data_operator.api.schema import SCHEMA
from external_data_operator.api.source import SOURCE


@dataclass(frozen=True)
class Action:
    """One action."""

    name: str
    on: tuple[str, ...]
    """Kinds of resource that support it."""
    sentence: str
    """Its effect, for people."""
    runs: Task | None = None
    """The task that it starts."""
    passed_on: tuple[str, ...] = ()
    """Kinds that pass it on to the objects that refer to them, instead of running it themselves."""
    ends_run: bool = False
    """Whether it ends an active run. Else the action waits for the run."""
    resets: bool = False
    """Whether the run reads all rows again, as if the table did not exist."""
    may_shrink: bool = False
    """Whether the run may leave the table with few rows or none."""
    instead: str = ""
    """The alternative of an action that is not enabled, in a sentence."""
    enabled: bool = True
    """Whether the operator supports it today. The annotation of another one causes a warning."""

    @property
    def annotation(self) -> str:
        """The whole name of the annotation."""
        return f"{API_GROUP}/{self.name}"


RELOAD = "reload"
REFRESH_SCHEMAS = "refresh-schemas"
ALLOW_SHRINK = "allow-shrink"
_LISTED = (
    Action(
        name=RELOAD,
        on=(SOURCE.kind, SCHEMA.kind),
        passed_on=(SOURCE.kind,),
        sentence="Starts a sync now. On a source: a sync of each of its schemas that is synced.",
        runs=Task.SYNC,
    ),
    Action(
        name=ALLOW_SHRINK,
        on=(SCHEMA.kind,),
        sentence="Starts a sync now that may leave the table with few rows or none.",
        runs=Task.SYNC,
        may_shrink=True,
    ),
    Action(
        name=REFRESH_SCHEMAS,
        on=(SOURCE.kind,),
        sentence="Checks the source now and lists its streams again. A new stream gets a schema.",
        runs=Task.CHECK,
    ),
    Action(
        name="resync",
        on=(SCHEMA.kind,),
        sentence="Ends a running sync and imports all rows again. Readers see the old table "
        "until the new one is complete.",
        instead="Set syncType to FullRefresh, and use external-data.io/reload.",
        runs=Task.SYNC,
        ends_run=True,
        resets=True,
        enabled=False,
    ),
    Action(
        name="cancel",
        on=(SCHEMA.kind,),
        sentence="Ends the running sync and records it as failed.",
        instead="Set shouldSync to false, and delete the Job in status.activeJob.",
        ends_run=True,
        enabled=False,
    ),
    Action(
        name="delete-data",
        on=(SCHEMA.kind,),
        sentence="Deletes the files of the table and keeps the schema.",
        instead="Set shouldSync to false, and delete the folder at status.table.uri.",
        ends_run=True,
        resets=True,
        enabled=False,
    ),
    Action(
        name="refresh-fields",
        on=(SCHEMA.kind,),
        sentence="Lists the columns and the possible cursors and keys of this stream again.",
        instead="Use external-data.io/refresh-schemas on the ExternalDataSource.",
        runs=Task.CHECK,
        enabled=False,
    ),
)
ACTIONS: Mapping[str, Action] = {action.name: action for action in _LISTED}
"""Name → action."""


def list_actions(kind: str) -> list[Action]:
    """The enabled actions that objects of this kind take."""
    return [action for action in ACTIONS.values() if action.enabled and kind in action.on]


def explain_unsupported(action: Action, kind: str) -> str:
    """The message for a request of an action that objects of this kind do not take."""
    instead = action.instead
    if action.enabled:
        instead = f"Use it on an {' or an '.join(action.on)}."
    return f"The annotation {action.annotation} has no effect on an {kind}. {instead}"
