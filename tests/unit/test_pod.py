"""What a pod mounts, logs, and leaves in its termination message."""

import json
from pathlib import Path

import pytest
from external_data_operator.api import handoff
from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import CertificateRef, KeyRef, SecretValue
from external_data_operator.api.plan import (
    REPORT_BYTES_MAX,
    Discovery,
    Failure,
    FailureClass,
    Report,
    TableReport,
    Task,
)
from external_data_operator.api.schema import Column
from external_data_operator.logs import set_up

from sync_runner.errors import ConfigurationError
from sync_runner.pod import (
    MountedCredentials,
    ProgressLog,
    find_memory_limit,
    fit_discovery,
    fit_report,
    render_report,
)
from sync_runner.protocols import Counts, Progress
from tests.clocks import JumpingClock
from tests.large_catalogue import build_catalogue

TOKEN = SecretValue(secret_key_ref=KeyRef(name="shop", key="token"))


@pytest.fixture
def credentials(tmp_path: Path) -> MountedCredentials:
    return MountedCredentials(tmp_path / "secrets", tmp_path / "config-maps")


def _write(folder: Path, name: str, key: str, value: bytes) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / name / key).write_bytes(value)


def test_a_secret_is_read_anew_each_time(credentials: MountedCredentials) -> None:
    for value in (b"first\n", b"second\r\n"):
        _write(credentials.secrets, "shop", "token", value)
        assert credentials.secret(TOKEN) == value.decode().strip()


@pytest.mark.parametrize("made", ["nothing", "secret without the key", "a file in its place"])
def test_a_missing_key_is_said_by_secret_and_key(
    credentials: MountedCredentials, made: str
) -> None:
    if made == "secret without the key":
        _write(credentials.secrets, "shop", "other", b"x")
    elif made == "a file in its place":
        credentials.secrets.mkdir()
        (credentials.secrets / "shop").write_bytes(b"x")
    with pytest.raises(
        ConfigurationError, match="Secret shop, key token, does not exist"
    ) as caught:
        credentials.secret(TOKEN)
    assert caught.value.reason is Reason.SECRET_NOT_FOUND


def test_a_secret_that_is_not_text_is_said(credentials: MountedCredentials) -> None:
    _write(credentials.secrets, "shop", "token", b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not text"):
        credentials.secret(TOKEN)


def test_a_certificate_may_be_in_a_secret_or_a_config_map(credentials: MountedCredentials) -> None:
    ref = KeyRef(name="ca", key="ca.crt")
    _write(credentials.secrets, "ca", "ca.crt", b"from the secret")
    _write(credentials.config_maps, "ca", "ca.crt", b"from the map")
    assert credentials.certificate(CertificateRef(secret_key_ref=ref)) == "from the secret"
    assert credentials.certificate(CertificateRef(config_map_key_ref=ref)) == "from the map"
    gone = CertificateRef(config_map_key_ref=KeyRef(name="gone", key="x"))
    with pytest.raises(ConfigurationError, match="ConfigMap gone, key x"):
        credentials.certificate(gone)


def test_all_keys_of_a_secret_are_read_together(credentials: MountedCredentials) -> None:
    _write(credentials.secrets, "lake", "AWS_ACCESS_KEY_ID", b"id\n")
    _write(credentials.secrets, "lake", "AWS_SECRET_ACCESS_KEY", b"key")
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}
    assert credentials.keys_of("lake") == keys
    with pytest.raises(ConfigurationError, match="Secret shop"):
        credentials.keys_of("shop")


def _report(columns: int, message: str | None = None, tables: int = 1) -> Report:
    failure = None
    if message is not None:
        failure = Failure(
            failure_class=FailureClass.CONFIGURATION,
            reason=Reason.SCHEMA_CONFLICT,
            message=message,
        )
    return Report(
        task=Task.SYNC,
        run_id="r1",
        result="Succeeded" if failure is None else "Failed",
        failure=failure,
        tables=[
            TableReport(
                stream=f"s{number}",
                notes=["A sentence."],
                columns=[Column(name=f"column_{n}", data_type="string") for n in range(columns)],
            )
            for number in range(tables)
        ],
    )


def test_a_report_that_fits_is_whole() -> None:
    report = _report(20)
    assert fit_report(report) == report


def test_columns_go_first_and_the_message_stays() -> None:
    report = _report(500, "x changed its type")
    fitted = fit_report(report)
    assert [(one.columns, one.notes) for one in fitted.tables] == [(None, ["A sentence."])]
    assert fitted.failure == report.failure


@pytest.mark.parametrize(
    ("tables", "columns", "left"),
    [(20, 50, (20, True)), (80, 1, (80, False)), (900, 1, (0, False))],
    ids=["without-columns", "without-notes", "without-tables"],
)
def test_the_detail_of_all_tables_goes_step_by_step(
    tables: int, columns: int, left: tuple[int, bool]
) -> None:
    fitted = fit_report(_report(columns, tables=tables))
    assert len(render_report(fitted)) <= REPORT_BYTES_MAX
    assert (len(fitted.tables), any(one.notes for one in fitted.tables)) == left
    assert all(one.columns is None for one in fitted.tables)


@pytest.mark.parametrize("message", ["x" * 10_000, "é" * 10_000, '"\n' * 10_000, "👍" * 5000])
def test_a_message_that_is_too_long_is_cut_and_says_so(message: str) -> None:
    fitted = fit_report(_report(5, message))
    assert len(render_report(fitted)) <= REPORT_BYTES_MAX
    failure = fitted.failure
    assert failure is not None
    assert failure.message.endswith("…")
    assert len(failure.message) > 500


def test_progress_is_said_every_few_seconds_and_when_the_phase_changes() -> None:
    lines: list[str] = []
    set_up(lines.append, as_json=True)
    clock = JumpingClock()
    tell = ProgressLog(clock, every_s=5)
    progress = Progress(phase="reading")
    for _ in range(12):
        clock.time += 1
        progress.counts = Counts(rows=progress.counts.rows + 100)
        tell(progress)
    progress.phase = "publishing"
    tell(progress)
    said = [json.loads(line) for line in lines]
    assert [(one["phase"], one["rows"]) for one in said] == [
        ("reading", 100),
        ("reading", 600),
        ("reading", 1100),
        ("publishing", 1200),
    ]
    assert said[1]["rows_per_second"] == 100


def test_the_memory_limit_is_the_containers_own(tmp_path: Path) -> None:
    newer, older = tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"
    assert find_memory_limit([newer, older]) is None
    older.write_text("9223372036854771712\n")
    assert find_memory_limit([newer, older]) is None
    newer.write_text("max\n")
    assert find_memory_limit([newer, older]) is None
    newer.write_text("536870912\n")
    assert find_memory_limit([newer, older]) == 512 << 20
    newer.unlink()
    older.write_text("268435456\n")
    assert find_memory_limit([newer, older]) == 256 << 20


def test_a_catalogue_that_is_too_large_keeps_all_names_and_keys_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = build_catalogue(hashed=True, tables=200)
    monkeypatch.setattr(handoff, "PACKED_BYTES_MAX", 100_000)
    packed = fit_discovery(found)
    assert sum(len(piece.data) for piece in packed) <= 100_000
    lines = [json.dumps({"run": "r", "handoff": piece.model_dump()}) for piece in packed]
    streams = Discovery.model_validate_json(
        handoff.find_document("\n".join(lines), handoff.Document.DISCOVERY, "r") or b""
    ).streams
    assert [one.primary_key for one in streams] == [one.primary_key for one in found.streams]
    bare = [one for one in streams if not one.columns]
    assert 0 < len(bare) < 200
    assert all("first sync lists them" in one.notes[0] for one in bare)
    assert streams[0] == found.streams[0]
