"""What each commit says about the run that made it.

It lies in the commit itself, so that the cursor moves with the data or not at all. `seq` counts
publications over all runs of a table; a commit that only tidies up repeats what the last
publication said.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from external_data_operator.api.sources.rest import CursorType

from sync_runner.protocols import Counts, Position

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
    cursor: str | None = None
    """The cursor's field, in the source's spelling."""
    position: Position | None = None
    counts: Counts = field(default_factory=Counts)
    plan: str | None = None
    """Fingerprint of the plan by which the rows were read."""
    origin: str | None = None
    """In the middle of a run the schema that the table had when it began, as JSON: what the run
    itself has added may still become text, as it would have before the publication.
    """

    def is_publication_of(self, other: "State") -> bool:
        """Whether both speak of the same publication by the same process."""
        return (self.run, self.attempt, self.seq) == (other.run, other.attempt, other.seq)


def render_state(state: State) -> str:
    """Text for the commit."""
    return json.dumps(asdict(state), ensure_ascii=False)


def parse_state(text: str) -> State:
    """Reads it back; keys that a newer version added are left out."""
    spec = json.loads(text)
    return State(
        run=spec["run"],
        attempt=spec["attempt"],
        seq=spec["seq"],
        final=spec["final"],
        cursor=spec.get("cursor"),
        position=parse_position(spec.get("position")),
        counts=parse_counts(spec.get("counts")),
        plan=spec.get("plan"),
        origin=spec.get("origin"),
    )


def parse_position(spec: Any) -> Position | None:
    """From what `asdict` made of it."""
    return None if spec is None else Position(spec["value"], CursorType(spec["type"]))


def parse_counts(spec: Any) -> Counts:
    """From what `asdict` made of it."""
    known = {name: value for name, value in (spec or {}).items() if name in Counts.__annotations__}
    return Counts(**known)
