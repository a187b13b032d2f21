"""A stream of a REST API: derives from a plan how it is read. A walk (`walk`) does the reading."""

from collections.abc import Callable, Iterator
from contextlib import closing

from external_data_operator.api.cursors import CursorType, choose_cursor
from external_data_operator.api.plan import Plan, SyncOptions
from external_data_operator.api.schema import SyncType
from external_data_operator.api.sources.rest import (
    RestIncremental,
    RestSource,
    RestStream,
    find_declared,
)

from sync_runner.protocols import Batch, Clock, Credentials, IsStopped, ReadRequest, Token
from sync_runner.sources.rest.bounds import CursorBounds
from sync_runner.sources.rest.client import get_stream, open_client
from sync_runner.sources.rest.page import Accepted
from sync_runner.sources.rest.walk import Cursor, Reading, Walk
from sync_runner.transport.client import Client
from sync_runner.transport.exchange import AttemptLimits


def find_cursor(plan: Plan, stream: RestStream) -> Cursor | None:
    """The cursor of a sync; None for a full refresh."""
    options = plan.only.sync
    if options.sync_type is SyncType.FULL_REFRESH:
        return None
    found = choose_cursor(
        options.incremental_field,
        options.incremental_field_type,
        find_declared(stream.incremental),
    )
    return None if found is None else Cursor(found.name, found.type)


def find_asked(stream: RestStream, cursor: Cursor | None) -> RestIncremental | None:
    """How a range is requested; None if the cursor is another field than the declared one, since
    the start parameter would not understand its values.
    """
    declared = stream.incremental
    is_other = declared is not None and cursor is not None and cursor.name != declared.cursor_path
    return None if is_other else declared


class RestReader:
    """One stream of a REST API."""

    def __init__(
        self, plan: Plan, *, credentials: Credentials, clock: Clock, is_stopped: IsStopped
    ) -> None:
        """Makes no request. ConfigurationError(StreamNotFound) if the plan has no such stream."""
        rest = plan.of_kind(RestSource)
        assert rest is not None, "the plan's kind is rest"
        options = plan.only.sync
        stream = get_stream(rest, options.stream)
        cursor = find_cursor(plan, stream)
        asked = find_asked(stream, cursor)
        kind = cursor.kind if cursor else asked.cursor_type if asked else None
        collapses = _collapses(options)
        self._reading = Reading(
            rest=rest,
            stream=stream,
            limits=plan.limits,
            cursor=cursor,
            asked=asked,
            bounds=CursorBounds(asked, kind or CursorType.DATE_TIME, collapses),
            collapses=collapses,
            keys=options.primary_key_columns or stream.primary_key,
            clock=clock,
        )
        self._accepted = Accepted()
        self._open: Callable[[], Client] = lambda: open_client(
            self._reading.rest,
            plan.network,
            credentials=credentials,
            clock=clock,
            is_stopped=is_stopped,
            limits=AttemptLimits(body_bytes_max=plan.limits.page_bytes),
        )

    def read(self, request: ReadRequest) -> Iterator[Batch]:
        """Batches in the order of the pages. Raises RunError; ExpiredTokenError if the stream must
        be read from its beginning."""
        with (
            closing(self._open()) as client,
            closing(Walk(self._reading, client, request, self._accepted)) as walk,
        ):
            yield from walk.read()

    def confirm(self, token: Token) -> None:
        """Does nothing: a REST API keeps nothing for its readers."""


def _collapses(options: SyncOptions) -> bool:
    """Whether the table keeps one row of each key."""
    return bool(options.primary_key_columns) and options.sync_type is not SyncType.APPEND
