"""Requests the first page of each of a source's first streams, to check the access and to sample
rows.

Errors that a person must correct end the check: a failed connection, 401 and 403, a page that is
not JSON, a path that is not found. Errors of one stream that may pass (404, 429, 5xx, a page that
is too large for a check) do not: the stream gets a note, and its first sync tries again.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pyarrow as pa
from external_data_operator.api.conditions import Reason
from external_data_operator.api.cursors import CursorType
from external_data_operator.api.plan import Plan
from external_data_operator.api.sources.rest import (
    NestedValues,
    RestSource,
    RestStream,
    find_declared,
)
from external_data_operator.api.sources.rest_doubts import find_stream_doubts

from sync_runner.errors import ConfigurationError, RetryableError, RunError
from sync_runner.network.failures import ConnectError
from sync_runner.protocols import Clock, Credentials, IsStopped
from sync_runner.records.decode import RecordDecoder
from sync_runner.records.sample import Sample
from sync_runner.sources.rest.bounds import CursorBounds
from sync_runner.sources.rest.client import build_address, build_request, expect_rows, open_client
from sync_runner.sources.rest.pagination import build_paginator
from sync_runner.sources.rest.pagination.page import add_params, find_missing_paths
from sync_runner.transport.client import Client
from sync_runner.transport.exchange import AttemptLimits
from sync_runner.transport.failures import (
    AnswerError,
    BrokenError,
    StatusError,
    TooLargeError,
    TornBodyError,
)
from sync_runner.transport.messages import Request, Response
from sync_runner.transport.retry import raise_for_status
from sync_runner.transport.texts import read_text

PROBED_STREAMS_MAX = 5
_REMEDY = "If the stream has more pages, correct it."
LIMITS = AttemptLimits(connect_s=5, read_s=10, total_s=30, body_bytes_max=20 << 20)
_NO_CONTENT = 204
_DENIED = frozenset({401, 403})


class RestProbe:
    """One request to each of the first streams."""

    def __init__(
        self, plan: Plan, *, credentials: Credentials, clock: Clock, is_stopped: IsStopped
    ) -> None:
        """Makes no request."""
        rest = plan.of_kind(RestSource)
        assert rest is not None, "the plan's kind is rest"
        self._plan = plan
        self._rest = rest
        self._credentials = credentials
        self._clock = clock
        self._is_stopped = is_stopped

    def read_samples(self) -> Iterator[Sample]:
        """Every stream, the first ones with rows. ConfigurationError if a person must act,
        RetryableError(Unreachable) if there is no response."""
        with closing(self._open()) as client:
            for index, stream in enumerate(self._rest.streams):
                page = self._read_page(client, stream) if index < PROBED_STREAMS_MAX else _Page()
                yield Sample(
                    name=stream.name,
                    description=stream.description,
                    primary_key=stream.primary_key,
                    cursor=find_declared(stream.incremental),
                    records=page.records,
                    notes=page.notes,
                    unread=page.unread,
                )

    def _open(self) -> Client:
        return open_client(
            self._rest,
            self._plan.network,
            credentials=self._credentials,
            clock=self._clock,
            is_stopped=self._is_stopped,
            limits=LIMITS,
        )

    def _read_page(self, client: Client, stream: RestStream) -> "_Page":
        """The stream's first page; empty if the response cannot be used."""
        request = self._build_first(stream)
        what = client.describe(request)
        try:
            response = client.attempt(request)
            raise_for_status(response, now=self._clock.now())
        except (StatusError, TooLargeError, TornBodyError) as error:
            return _Page(unread=error.run_error(f"{what}: {error}"))
        except AnswerError as error:
            refused = error.run_error(f"{what}: {error}")
            # A stream that does not exist (yet) must not stop the others.
            if error.status and error.status not in _DENIED:
                return _Page(unread=refused)
            raise refused from error
        except (ConnectError, BrokenError) as error:
            # The check ends, and the operator or a person repeats it: the host may come back.
            raise RetryableError(Reason.UNREACHABLE, f"{what}: {error}") from error
        return self._decode(stream, response, what)

    def _build_first(self, stream: RestStream) -> Request:
        kind = stream.incremental.cursor_type if stream.incremental else CursorType.DATE_TIME
        bounds = CursorBounds(stream.incremental, kind)
        params = dict(stream.params)
        params.update(bounds.build_params(bounds.find_first(None, now=self._clock.now())))
        url = add_params(build_address(self._rest, stream), list(params.items()))
        first = build_request(stream, url)
        return build_paginator(stream.pagination).build_first(first).request

    def _decode(self, stream: RestStream, response: Response, what: str) -> "_Page":
        declared = stream.incremental
        names = [*stream.primary_key, *([declared.cursor_path] if declared else [])]
        nested = [name for name in dict.fromkeys(names) if "." in name]
        structs = stream.nested_values is NestedValues.STRUCTS
        paginator = build_paginator(stream.pagination)
        decoder = RecordDecoder(
            records_path=stream.records_path,
            envelope=paginator.paths,
            extract=nested,
            structs=structs,
            expected=expect_rows(stream, names),
        )
        try:
            no_content = response.status == _NO_CONTENT
            page = decoder.empty_page if no_content else decoder.push(read_text(response))
        except RetryableError as error:
            return _Page(unread=RetryableError(error.reason, f"{what}: {error}"))
        except ConfigurationError as error:
            raise ConfigurationError(error.reason, f"{what}: {error}") from error
        missing = find_missing_paths(paginator, page.values) if page.rows else []
        notes = [f"{one} was not found in the first page. {_REMEDY}" for one in missing]
        notes += [f"{location[-1]} {message}." for location, message in find_stream_doubts(stream)]
        return _Page(decoder.flush(), tuple(notes))


@dataclass(frozen=True)
class _Page:
    """The facts of a first page."""

    records: pa.RecordBatch | None = None
    notes: tuple[str, ...] = ()
    unread: RunError | None = None
