"""REST APIs: every stream is declared in the spec, as an API has no catalogue."""

from collections.abc import Collection, Iterator

from external_data_operator.api.problems import Problem
from external_data_operator.api.sources.rest import RestSource, RestStream, find_declared
from external_data_operator.api.sources.rest_doubts import find_stream_doubts
from external_data_operator.reconcile.plans.kinds import DeclaredStream
from external_data_operator.reconcile.plans.stream import Stream


class RestAdapter:
    """See `Adapter`."""

    def declare_streams(self, source: RestSource) -> list[DeclaredStream]:
        """All there are."""
        return [
            DeclaredStream(_build_stream(one), ("streams", index, "name"))
            for index, one in enumerate(source.streams)
        ]

    def find_doubts(self, source: RestSource) -> Iterator[Problem]:
        """Those of each stream."""
        for index, stream in enumerate(source.streams):
            for location, message in find_stream_doubts(stream):
                yield Problem(("streams", index, *location), message)

    def narrow(self, source: RestSource, streams: Collection[str]) -> RestSource:
        """A run does not read the other streams, so a change of one does not change the plan of
        another."""
        only = [stream for stream in source.streams if stream.name in streams]
        return source.model_copy(update={"streams": only})

    def has_feed(self, source: RestSource) -> bool:  # noqa: ARG002
        """Each stream has requests of its own."""
        return False


def _build_stream(declared: RestStream) -> Stream:
    cursor = find_declared(declared.incremental)
    return Stream(
        name=declared.name,
        description=declared.description,
        primary_key=tuple(declared.primary_key),
        cursor=cursor,
        incremental_fields=() if cursor is None else (cursor,),
    )


ADAPTER = RestAdapter()
