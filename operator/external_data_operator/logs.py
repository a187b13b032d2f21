"""Log lines of both processes: the operator and the runner format, redact and write them here.

A line is one JSON object: `time` (RFC 3339, UTC), `level`, `message`, `logger`, and the subject
`namespace`, `source`, `schema`, `run`, each null where the line has none. Fields of the line's own
follow, then `traceback`. The text format is for people and holds the same in the same order. Beside
the API models this is all that the runner sees of the operator's package.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

_HIDDEN_CHARS_MIN = 8
"""A shorter credential would also hide ordinary words."""
_USER = re.compile(r"(?<=://)[^/\s@'\"]+@")
_QUERY = re.compile(r"(\w+://[^\s?'\"<>]+\?)[^\s'\"<>]+")
_AUTHORIZATION = re.compile(r"\b(Bearer|Basic) [\w~+/.=-]{16,}")
_log = logging.getLogger(__name__)
_hidden: set[str] = set()


@dataclass(frozen=True)
class Subject:
    """What a line is about."""

    namespace: str | None = None
    source: str | None = None
    schema: str | None = None
    run: str | None = None
    """The uid of the run's Job."""


_NOTHING = Subject()
_subject: ContextVar[Subject] = ContextVar("subject", default=_NOTHING)


@contextmanager
def about(subject: Subject) -> Iterator[None]:
    """Lines of this block, and of tasks that it starts, are about `subject`; what it leaves open
    stays as it was outside."""
    token = _subject.set(Subject(**{**asdict(_subject.get()), **_read_known(subject)}))
    try:
        yield
    finally:
        _subject.reset(token)


def hide(credential: str) -> None:
    """No line will contain this credential, nor a line of it."""
    lines = (line.strip() for line in credential.splitlines())
    _hidden.update(line for line in lines if len(line) >= _HIDDEN_CHARS_MIN)


def set_up(
    write: Callable[[str], object],
    *,
    as_json: bool,
    level: str = "INFO",
    subject: Subject = _NOTHING,
    filters: Sequence[logging.Filter] = (),
) -> None:
    """Sends every line to `write`; `subject` holds for lines that have no other."""
    handler = _LineHandler(write)
    handler.setFormatter(JsonFormatter(subject) if as_json else TextFormatter(subject))
    for one in filters:
        handler.addFilter(one)
    logging.basicConfig(level=level, handlers=[handler], force=True)


def catch_uncaught() -> None:
    """Logs what would end the process or a thread, and Python's warnings, in the same shape."""
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, subject: Subject = _NOTHING) -> None:
        """`subject` holds for lines that have no other."""
        super().__init__()
        self._subject = subject

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = _read_head(record, self._subject)
        own: Mapping[str, Any] = getattr(record, "fields", {})
        line |= {key: value for key, value in own.items() if key not in line}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(_redact(line), ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """The same for people."""

    def __init__(self, subject: Subject = _NOTHING) -> None:
        """`subject` holds for lines that have no other."""
        super().__init__()
        self._subject = subject

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the lines of a traceback."""
        head = _read_head(record, self._subject)
        words = [f"{key}={head[key]}" for key in asdict(self._subject) if head[key] is not None]
        line = f"{head['time']} {head['level'].upper():<8} {head['message']}"
        text = " ".join([line, *words])
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return str(_redact(text))


def _read_head(record: logging.LogRecord, default: Subject) -> dict[str, Any]:
    """The members that every line has."""
    own: Subject = getattr(record, "subject", _NOTHING)
    moment = datetime.fromtimestamp(record.created, UTC)
    return {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "message": _read_message(record),
        "logger": record.name,
        **asdict(default),
        **_read_known(_subject.get()),
        **_read_known(own),
    }


def _read_known(subject: Subject) -> dict[str, str]:
    return {key: value for key, value in asdict(subject).items() if value is not None}


def _read_message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A library's message that does not fit its arguments is still worth a line.
        return str(record.msg)


def _redact(value: Any) -> Any:
    """Without credentials: those that were read, and what an address or a header could hold."""
    if isinstance(value, str):
        for credential in _hidden:
            value = value.replace(credential, "***")
        value = _QUERY.sub(r"\1***", _USER.sub("***@", value))
        return _AUTHORIZATION.sub(r"\1 ***", value)
    if isinstance(value, dict):
        return {key: _redact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redact(inner) for inner in value]
    return value


class _LineHandler(logging.Handler):
    """One write for each line, so that lines of two threads never mix."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(self.format(record) + "\n")


def _log_uncaught(
    type_: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(type_, KeyboardInterrupt):
        sys.__excepthook__(type_, error, trace)
        return
    _log.critical("Uncaught %s ends the process.", type_.__name__, exc_info=(type_, error, trace))


def _log_thread(given: threading.ExceptHookArgs) -> None:
    error = given.exc_value
    trace = None if error is None else (given.exc_type, error, given.exc_traceback)
    name = given.thread.name if given.thread is not None else "unknown"
    _log.critical("Uncaught %s ends thread %s.", given.exc_type.__name__, name, exc_info=trace)
