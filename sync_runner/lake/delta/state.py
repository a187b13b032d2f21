"""What each commit says about the run that made it.

It lies in the commit itself, so that the cursor moves with the data or not at all. `seq` counts
publications over all runs of a table; a commit that only tidies up repeats what the last
publication said.
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
    """Who published last, and how far the table's rows go."""

    run: str
    attempt: str
    seq: int
    final: bool
    """Whether the run ended with this publication."""
    position: Position | None = None
    field_without_position: str | None = None
    """The cursor's field, where no row so far has a value of it. The run has read everything, and
    values of other rows that the table holds are not how far it read."""
    counts: Counts = field(default_factory=Counts)
    plan: str | None = None
    """Fingerprint of the plan by which the rows were read."""
    origin: str | None = None
    """In the middle of a run the schema that the table had when it began, as JSON: what the run
    itself has added may still become text, as it would have before the publication.
    """
    confirms: Token | None = None
    """What the source may be told because of this publication."""
    existing: Existing | None = None
    """What became of the rows that were there; None in commits of earlier versions."""

    def is_publication_of(self, other: "State") -> bool:
        """Whether both speak of the same publication by the same process."""
        return (self.run, self.attempt, self.seq) == (other.run, other.attempt, other.seq)


def render_state(state: State) -> str:
    """Text for the commit."""
    return json.dumps(asdict(state), ensure_ascii=False)


def parse_state(text: str) -> State:
    """Reads it back; keys that a newer version added are left out."""
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
    the position, as `cursor`; one without a field told nothing.
    """
    position = parse_position(spec.get("position"))
    if "cursor" not in spec:
        return position, spec.get("field_without_position")
    field = spec["cursor"]
    if position is None or field is None:
        return None, field
    return replace(position, field=field), None


def parse_position(spec: Any) -> Position | None:
    """From what `asdict` made of it."""
    if spec is None:
        return None
    return Position(spec["value"], CursorType(spec["type"]), spec.get("field"))


def parse_counts(spec: Any) -> Counts:
    """From what `asdict` made of it."""
    known = {name: value for name, value in (spec or {}).items() if name in Counts.__annotations__}
    return Counts(**known)
