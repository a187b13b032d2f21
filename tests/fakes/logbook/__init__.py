"""A kind of source for tests, a database with a log: its catalogue lists tables and keys, and its
log holds what happened in them, in order.

Each file here is one that a real kind has in the product (`tests/fakes/tree.py` puts them there);
`installed` adds the kind to this process instead.
"""

from contextlib import AbstractContextManager

from tests.fakes import kinds
from tests.fakes.kinds import FakeKind
from tests.fakes.logbook.adapter import ADAPTER
from tests.fakes.logbook.book import Logbook, Row, ToldTooEarlyError
from tests.fakes.logbook.runner import KIND
from tests.fakes.logbook.spec import LogbookSource

LOGBOOK = FakeKind("logbook", LogbookSource, ADAPTER, KIND)

__all__ = ["LOGBOOK", "Logbook", "Row", "ToldTooEarlyError", "installed"]


def installed() -> AbstractContextManager[None]:
    """Both processes know the kind."""
    return kinds.installed(LOGBOOK)
