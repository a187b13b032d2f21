"""The runner's interface to its pod: mounted credentials, the progress log and the termination
message.

A Secret's key is a file that the kubelet replaces when the Secret changes, so it is read at each
use. The termination message has at most 4,096 bytes; lines of the log contain what does not fit.
"""

import logging
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from external_data_operator.api.conditions import Reason
from external_data_operator.api.handoff import Document, Piece, build_pieces
from external_data_operator.api.meta import CertificateRef, KeyRef, SecretValue
from external_data_operator.api.plan import (
    REPORT_BYTES_MAX,
    DiscoveredStream,
    Discovery,
    Report,
)
from external_data_operator.logs import hide

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Clock, Progress

_UNLISTED = "Its columns are not listed, as the catalogue is too large; the first sync lists them."
_PROGRESS_EVERY_S = 5.0


@dataclass(frozen=True)
class MountedCredentials:
    """Secrets and ConfigMaps as files `<name>/<key>`."""

    secrets: Path
    config_maps: Path

    def secret(self, value: SecretValue) -> str:
        """The credential; ConfigurationError(SecretNotFound) with the Secret's name and key."""
        assert value.secret_key_ref is not None, "a plan refers to credentials and contains none"
        return _read_key(self.secrets, "Secret", value.secret_key_ref)

    def certificate(self, ref: CertificateRef) -> str:
        """The PEM bundle; the same error."""
        if ref.secret_key_ref is not None:
            return _read_key(self.secrets, "Secret", ref.secret_key_ref)
        assert ref.config_map_key_ref is not None, "exactly one of the two is set"
        return _read_key(self.config_maps, "ConfigMap", ref.config_map_key_ref)

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """All mounted keys of a Secret; the same error if it has none."""
        folder = self.secrets / secret_name
        keys = sorted(file.name for file in folder.iterdir()) if folder.is_dir() else []
        if not keys:
            message = f"Secret {secret_name} does not exist, or lacks the keys of the destination."
            raise ConfigurationError(Reason.SECRET_NOT_FOUND, message)
        refs = {key: KeyRef(name=secret_name, key=key) for key in keys}
        return {key: _read_key(self.secrets, "Secret", ref) for key, ref in refs.items()}


def _read_key(folder: Path, kind: str, ref: KeyRef) -> str:
    """The value without the line end that editors and `--from-file` leave."""
    what = f"{kind} {ref.name}, key {ref.key}"
    try:
        value = (folder / ref.name / ref.key).read_text(encoding="utf-8").rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ConfigurationError(Reason.SECRET_NOT_FOUND, f"{what}, does not exist.") from error
    except UnicodeDecodeError as error:
        message = f"{what}, is not text in UTF-8."
        raise ConfigurationError(Reason.SECRET_NOT_FOUND, message) from error
    if kind == "Secret":
        hide(value)
    return value


_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""The container's own limit, of version 2 and of version 1."""
_UNLIMITED_BYTES = 1 << 60


def find_memory_limit(files: Iterable[Path] = _CGROUPS) -> int | None:
    """Bytes of memory at which the kernel ends this process; None where it is not limited."""
    for file in files:
        try:
            limit = int(file.read_text())
        except (OSError, ValueError):  # no such version, or "max"
            continue
        if limit < _UNLIMITED_BYTES:
            return limit
    return None


@dataclass
class ProgressLog:
    """Logs the progress of a run, every few seconds and when its phase changes."""

    clock: Clock
    every_s: float = _PROGRESS_EVERY_S
    _began: float = field(init=False)
    _said_at: float = field(init=False)
    _phase: str = ""

    def __post_init__(self) -> None:
        self._began = self._said_at = self.clock.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Called whenever the counters changed."""
        now = self.clock.monotonic()
        if progress.phase == self._phase and now - self._said_at < self.every_s:
            return
        self._phase, self._said_at = progress.phase, now
        counts = progress.counts
        rate = round(counts.rows / max(now - self._began, 0.001))
        numbers = {"pages": counts.pages, "rows": counts.rows, "bytes": counts.bytes}
        fields = {"phase": progress.phase, **numbers, "rows_per_second": rate}
        said = f"{progress.phase}: {counts.pages} pages, {counts.rows} rows, {rate} rows/s"
        logging.getLogger(__name__).info(said, extra={"fields": fields})


def fit_report(report: Report) -> Report:
    """The report in at most 4,096 bytes: without columns, notes or tables, or with a shorter
    message, if necessary."""
    drops: tuple[dict[str, list[str] | None], ...] = ({"columns": None}, {"notes": []})
    for less in drops:
        if _is_too_long(report):
            tables = [one.model_copy(update=less) for one in report.tables]
            report = report.model_copy(update={"tables": tables})
    if _is_too_long(report):
        report = report.model_copy(update={"tables": []})
    if _is_too_long(report) and report.failure is not None:
        lengths = range(len(report.failure.message))
        size = REPORT_BYTES_MAX
        fitting = bisect(lengths, size, key=lambda n: len(render_report(_cut(report, n)))) - 1
        report = _cut(report, max(0, fitting))
    return report


def _is_too_long(report: Report) -> bool:
    return len(render_report(report)) > REPORT_BYTES_MAX


def _cut(report: Report, length: int) -> Report:
    """The report with so many characters of its message."""
    assert report.failure is not None, "there is a message to cut"
    message = f"{report.failure.message[:length]}…"
    failure = report.failure.model_copy(update={"message": message})
    return report.model_copy(update={"failure": failure})


def render_report(report: Report) -> bytes:
    """The report as the operator reads it."""
    return report.model_dump_json(by_alias=True, exclude_none=True).encode()


def fit_discovery(discovery: Discovery) -> list[Piece]:
    """The discovery in pieces. If it is too large, the last streams lose their columns and get a
    note; names, keys and cursors are always kept."""
    whole = len(discovery.streams)
    for kept in (whole, *(whole >> shift for shift in range(1, whole.bit_length() + 1))):
        streams = [*discovery.streams[:kept], *map(_without_columns, discovery.streams[kept:])]
        content = Discovery(streams=streams).model_dump_json(by_alias=True, exclude_none=True)
        pieces = build_pieces(Document.DISCOVERY, content.encode())
        if pieces is not None:
            return pieces
    raise AssertionError("a discovery without columns fits")


def _without_columns(stream: DiscoveredStream) -> DiscoveredStream:
    notes = [*stream.notes, _UNLISTED] if stream.columns else stream.notes
    return stream.model_copy(update={"columns": [], "notes": notes})
