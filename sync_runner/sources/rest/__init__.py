"""The kind `rest`: JSON over HTTP, read page by page."""

from sync_runner.sources import SourceKind
from sync_runner.sources.rest.probe import RestProbe
from sync_runner.sources.rest.source import RestReader

KIND = SourceKind(RestReader, RestProbe)
