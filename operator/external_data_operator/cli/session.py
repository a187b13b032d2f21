"""The state that the commands share: the manifests, the options and the output."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from external_data_operator.api.plan import FileDestination, Plan, TableTarget
from external_data_operator.cli.credentials import GivenCredentials
from external_data_operator.cli.display import Display
from external_data_operator.cli.manifests import Manifests
from external_data_operator.cli.planning import Wishes


@dataclass(frozen=True)
class CommandSession:
    """One command at work."""

    manifests: Manifests
    wishes: Wishes
    display: Display
    secrets_dir: Path | None = None
    rows_max: int = 0
    """Rows that a preview shows."""
    allow_shrink: bool = False
    """Whether a full refresh may leave a table with few rows or none."""

    def credentials_of(self, plan: Plan) -> GivenCredentials:
        """What the files and the folder hold for the plan's namespace."""
        return GivenCredentials(self.manifests, plan.namespace, self.secrets_dir)


@contextmanager
def writing_nowhere(session: CommandSession) -> Iterator[CommandSession]:
    """The session with a destination that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="external-data-") as folder:
        target = TableTarget(file=FileDestination(path=folder), path="", trusted=True)
        yield replace(session, wishes=replace(session.wishes, target=target))
