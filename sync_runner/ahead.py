"""Runs an iterator in its own thread, a bounded number of steps ahead of its consumer.

The stages of a sync (fetch, decode, write) overlap this way while each stays an ordinary generator;
most of their work releases the interpreter's lock. Memory is bounded by the depth, and by a single
item if it is heavy.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Generic, TypeVar

T = TypeVar("T")
_LEAVE_AFTER_S = 5.0


class _End:
    """After the last item."""


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Ahead(Generic[T]):
    def __init__(
        self, items: Iterator[T], depth: int, name: str, is_heavy: Callable[[T], bool]
    ) -> None:
        self._items = items
        self._is_heavy = is_heavy
        self._queue: queue.Queue[T | _Failed | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def _work(self) -> None:
        try:
            for item in self._items:
                heavy = self._is_heavy(item)
                if not self._put(item):
                    break
                del item
                if heavy and not self._drain():
                    break
            self._put(_End())
        except BaseException as error:  # noqa: BLE001 - handed to the consumer, who raises it
            self._put(_Failed(error))
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()

    def _put(self, item: T | _Failed | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def _drain(self) -> bool:
        """Waits until the consumer is done with everything so far."""
        with self._queue.all_tasks_done:
            while self._queue.unfinished_tasks:
                if self._stop.is_set():
                    return False
                self._queue.all_tasks_done.wait(0.1)
        return True

    def consume(self) -> Generator[T, None, None]:
        self._thread.start()
        try:
            while not isinstance(item := self._queue.get(), _End):
                if isinstance(item, _Failed):
                    raise item.error
                yield item
                del item
                self._queue.task_done()
        finally:
            self._stop.set()
            self._thread.join(_LEAVE_AFTER_S)


def read_ahead(
    items: Iterator[T],
    *,
    depth: int,
    name: str,
    is_heavy: Callable[[T], bool] = lambda _: False,
) -> Generator[T, None, None]:
    """The same items in the same order, made `depth` steps ahead in a thread called `name`. After a
    heavy item, the next one is made only when the consumer asks for it.

    An error of the iterator is raised here, after the items that came before it. Closing the result
    stops the thread and closes the iterator.
    """
    with closing(_Ahead(items, depth, name, is_heavy).consume()) as consumed:
        yield from consumed
