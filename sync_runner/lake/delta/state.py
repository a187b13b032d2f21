"""The state that each commit contains about the run that made it.

The state is part of the commit, so that the cursor moves with the data or not at all. `seq` counts
publications over all runs of a table; a commit of upkeep repeats the state of the last publication.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from external_data_operator.api.cursors import CursorType

from sync_runner.lake.mode import Existing
from sync_runner.protocols import Counts, Position, Token

COMMIT_KEY = "externalData"
APP_ID = "external-data-operator"


@dataclass(frozen=True)
class State:
    """The run that published last, and the position of the table's rows."""

    run: str
    attempt: str
    seq: int
    final: bool
    """Whether the run ended with this publication."""
    position: Position | None = None
    field_without_position: str | None = None
    """The cursor's field, if no row so far has a value of it. The run has read everything, and
    values of other rows in the table are not its position."""
    counts: Counts = field(default_factory=Counts)
    plan: str | None = None
    """Fingerprint of the plan by which the rows were read."""
    origin: str | None = None
    """Before the end of a run: the schema that the table had when the run began, as JSON. Columns
    that the run itself has added may still become text, as before the publication.
    """
    confirms: Token | None = None
    """The token to confirm to the source after this publication."""
    existing: Existing | None = None
    """How the run treated the rows that the table had; None in commits of earlier versions."""

    def is_publication_of(self, other: "State") -> bool:
        """Whether both belong to the same publication of the same process."""
        return (self.run, self.attempt, self.seq) == (other.run, other.attempt, other.seq)


def render_state(state: State) -> str:
    """Text for the commit."""
    return json.dumps(asdict(state), ensure_ascii=False)


def parse_state(text: str) -> State:
    """Parses a state; keys that a newer version added are ignored."""
    spec = json.loads(text)
    position, without = _parse_place(spec)
    return State(
        run=spec["run"],
        attempt=spec["attempt"],
        seq=spec["seq"],
        final=spec["final"],
        position=position,
        field_without_position=without,
        counts=parse_counts(spec.get("counts")),
        plan=spec.get("plan"),
        origin=spec.get("origin"),
        confirms=spec.get("confirms"),
        existing=next((one for one in Existing if one == spec.get("existing")), None),
    )


def _parse_place(spec: Any) -> tuple[Position | None, str | None]:
    """The position, or the field that has none. Commits of earlier versions have the field beside
    the position, as `cursor`; one without a field had no position.
    """
    position = parse_position(spec.get("position"))
    if "cursor" not in spec:
        return position, spec.get("field_without_position")
    field = spec["cursor"]
    if position is None or field is None:
        return None, field
    return replace(position, field=field), None


def parse_position(spec: Any) -> Position | None:
    """Parses the result of `asdict`."""
    if spec is None:
        return None
    return Position(spec["value"], CursorType(spec["type"]), spec.get("field"))


def parse_counts(spec: Any) -> Counts:
    """Parses the result of `asdict`."""
    known = {name: value for name, value in (spec or {}).items() if name in Counts.__annotations__}
    return Counts(**known)
