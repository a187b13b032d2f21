"""The product with the second kind of source in it: a copy of the repository to which the recipe of
ARCHITECTURE.md was applied, file by file, as a developer would do it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = Path(__file__).parent / "logbook"
COPIED = ("operator", "sync_runner", "crds", "docs", "examples", "helm")
API = "operator/external_data_operator"
TABLE = f"{API}/api/sources/__init__.py"
PLACES: Mapping[str, Mapping[str, str]] = {
    "`api/sources/<kind>.py`": {"spec.py": f"{API}/api/sources/logbook.py"},
    "`reconcile/plans/kinds/<kind>.py`": {
        "adapter.py": f"{API}/reconcile/plans/kinds/logbook.py",
    },
    "`sync_runner/sources/<kind>/`": {
        "runner.py": "sync_runner/sources/logbook/__init__.py",
        "book.py": "sync_runner/sources/logbook/book.py",
    },
    "one example": {"example.yaml": "examples/logbook.yaml"},
}
"""Where the files of a kind are added, as ARCHITECTURE.md names it."""
_RENAMED = {
    "tests.fakes.logbook.spec": "external_data_operator.api.sources.logbook",
    "tests.fakes.logbook.book": "sync_runner.sources.logbook.book",
}
_IMPORT = "from external_data_operator.api.sources.logbook import LogbookSource\n"
_LINE = '    "logbook": LogbookSource,\n'


@dataclass(frozen=True)
class Tree:
    """The copy."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        """Python finds the copy's packages before all others."""
        return {"PYTHONPATH": f"{self.root}/operator:{self.root}"}

    def add_kind(self) -> None:
        """Applies the recipe."""
        for files in PLACES.values():
            for ours, theirs in files.items():
                text = (OURS / ours).read_text()
                for before, after in _RENAMED.items():
                    text = text.replace(before, after)
                path = self.root / theirs
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
        table = self.root / TABLE
        first, entry = "from external_data_operator.api.sources.rest", '    "rest": RestSource,\n'
        text = table.read_text().replace(first, _IMPORT + first, 1)
        table.write_text(text.replace(entry, entry + _LINE, 1))

    def run(self, *arguments: str) -> str:
        """Python with the copy's packages; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def list_changes(self) -> Iterator[tuple[str, list[str]]]:
        """Each file that differs from the repository's, with the lines that are new in it."""
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_dir() or path.suffix in {".pyc", ".so"}:
                continue
            before = (ROOT / name).read_text() if (ROOT / name).exists() else ""
            lines = path.read_text().splitlines()
            if path.read_text() != before:
                known = set(before.splitlines())
                yield name, [line for line in lines if line not in known]


def copy_tree(into: Path) -> Tree:
    """The repository's packages, definitions and pages, as they are."""
    leave_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        shutil.copytree(ROOT / name, into / name, ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", into)
    return Tree(into)
