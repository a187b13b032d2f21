"""What other tools write into the log of a table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.contract.lake_rows import Row

VECTOR = {
    "storageType": "i",
    "pathOrInlineDv": "^Bg9^0rr910000000000iXQKl0rr91000315c8Xg00031",
    "sizeInBytes": 36,
    "cardinality": 2,
}
"""The first two rows of a file: a Roaring bitmap in the log itself."""
READERS = ("deletionVectors", "vacuumProtocolCheck", "typeWidening")
"""Features that readers must know as well."""


def rows(first: int, last: int) -> list[Row]:
    return [{"id": n, "seq": n, "v": f"v{n}"} for n in range(first, last)]


def add_entry(folder: Path, *actions: dict[str, Any]) -> None:
    """What another tool would write as the log's next entry."""
    log = folder / "_delta_log"
    newest = max(int(path.stem) for path in log.glob("*.json"))
    entry = "\n".join(json.dumps(action) for action in actions)
    (log / f"{newest + 1:020}.json").write_text(entry)


def metadata_of(folder: Path) -> dict[str, Any]:
    """The newest metadata of a table whose log has no checkpoint yet."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "_delta_log").glob("*.json")):
        for line in path.read_text().split("\n"):
            found = (json.loads(line).get("metaData") if line else None) or found
    return found


def with_features(*features: str, **properties: str) -> Callable[[Path], None]:
    """Another tool turns features on, all of them for readers too."""

    def change(folder: Path) -> None:
        protocol = {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": [name for name in features if name in READERS],
            "writerFeatures": list(features),
        }
        configuration = {"configuration": dict(properties)}
        add_entry(folder, {"protocol": protocol}, {"metaData": metadata_of(folder) | configuration})

    return change


def delete_by_vector(folder: Path) -> None:
    """Another tool deletes the first two rows of the newest file without writing it again."""
    entries = [p.read_text().split("\n") for p in sorted((folder / "_delta_log").glob("*.json"))]
    actions = [json.loads(line) for lines in entries for line in lines if line]
    add = [action["add"] for action in actions if "add" in action][-1]
    remove = {"path": add["path"], "deletionTimestamp": 1, "dataChange": True}
    with_features("deletionVectors", **{"delta.enableDeletionVectors": "true"})(folder)
    add_entry(
        folder,
        {"commitInfo": {"timestamp": 1, "operation": "DELETE"}},
        {"remove": remove},
        {"add": {**add, "deletionVector": VECTOR}},
    )
