"""The one table of actions: what a person asks for with an annotation.

The annotation `external-data.io/<name>` takes any new token as its value, and the status records
the last token of each action that was carried out, so that applying the same manifest again does
nothing. What an action does is data here; the operator and the reference pages read it.
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
    """Kinds of resource that take it."""
    sentence: str
    """What it does, for people."""
    runs: Task | None = None
    """What it starts."""
    passed_on: tuple[str, ...] = ()
    """Kinds that pass it on to what refers to them, instead of carrying it out themselves."""
    ends_run: bool = False
    """Whether a run under way is ended; else the action waits for it."""
    resets: bool = False
    """Whether the run reads everything again, as if there was no table."""
    may_shrink: bool = False
    """Whether the run may leave the table with few rows or none."""
    enabled: bool = True
    """Whether it is carried out today; the annotation of another one does nothing."""

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
        sentence="Runs the normal sync now. On a source: of each of its schemas that is synced.",
        runs=Task.SYNC,
    ),
    Action(
        name=ALLOW_SHRINK,
        on=(SCHEMA.kind,),
        sentence="Runs the normal sync now, and lets it leave the table with few rows or none.",
        runs=Task.SYNC,
        may_shrink=True,
    ),
    Action(
        name=REFRESH_SCHEMAS,
        on=(SOURCE.kind,),
        sentence="Checks the source now and lists its streams again; a new stream gets a schema.",
        runs=Task.CHECK,
    ),
    Action(
        name="resync",
        on=(SCHEMA.kind,),
        sentence="Ends a running sync and imports everything again; readers keep the old table "
        "until the new one is complete.",
        runs=Task.SYNC,
        ends_run=True,
        resets=True,
        enabled=False,
    ),
    Action(
        name="cancel",
        on=(SCHEMA.kind,),
        sentence="Ends the running sync, which is recorded as failed.",
        ends_run=True,
        enabled=False,
    ),
    Action(
        name="delete-data",
        on=(SCHEMA.kind,),
        sentence="Deletes the files of the table; the schema stays.",
        ends_run=True,
        resets=True,
        enabled=False,
    ),
    Action(
        name="refresh-fields",
        on=(SCHEMA.kind,),
        sentence="Looks at the columns and the possible cursors and keys of this stream again.",
        runs=Task.CHECK,
        enabled=False,
    ),
)
ACTIONS: Mapping[str, Action] = {action.name: action for action in _LISTED}
"""Name → action."""


def list_actions(kind: str) -> list[Action]:
    """The enabled actions that objects of this kind take."""
    return [action for action in ACTIONS.values() if action.enabled and kind in action.on]
