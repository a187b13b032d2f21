"""An iterator that runs ahead in a thread of its own."""

import threading
from collections.abc import Iterator

import pytest

from sync_runner import ahead
from sync_runner.ahead import read_ahead


def test_items_come_in_order_and_the_end_comes_behind_them() -> None:
    assert list(read_ahead(iter(range(1000)), depth=3, name="numbers")) == list(range(1000))


def test_no_more_steps_are_made_ahead_than_the_depth() -> None:
    made: list[int] = []
    waiting = threading.Event()

    def make() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if len(made) == 4:
                waiting.set()
            yield number

    items = read_ahead(make(), depth=2, name="numbers")
    assert next(items) == 0
    assert waiting.wait(10), "one is taken, two lie ready, one waits for room"
    assert not [t for t in threading.enumerate() if t.name == "numbers" and not t.daemon]
    assert len(made) == 4
    items.close()  # type: ignore[attr-defined]
    assert len(made) == 4


def test_an_error_comes_behind_the_items_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("broken")

    seen: list[int] = []
    with pytest.raises(LookupError, match="broken"):
        seen.extend(read_ahead(make(), depth=5, name="numbers"))
    assert seen == [1, 2]


def test_closing_closes_the_iterator_in_its_own_thread() -> None:
    closed_by: list[str] = []

    def make() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed_by.append(threading.current_thread().name)

    items = read_ahead(make(), depth=1, name="numbers")
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert closed_by == ["numbers"]


def test_closing_does_not_wait_for_ever_for_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_LEAVE_AFTER_S", 0.05)
    blocked, go_on = threading.Event(), threading.Event()

    def make() -> Iterator[int]:
        yield 1
        blocked.set()
        go_on.wait(30)

    items = read_ahead(make(), depth=1, name="numbers")
    next(items)
    assert blocked.wait(10)
    items.close()  # type: ignore[attr-defined]
    go_on.set()


def test_behind_a_heavy_item_nothing_is_made_before_the_next_is_asked_for() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number

    items = read_ahead(make(), depth=3, name="numbers", is_heavy=lambda number: number > 0)
    for number in range(4):
        assert next(items) == number
        assert len(made) <= max(2, number + 1)
    assert list(items) == []


def test_closing_ends_the_wait_behind_a_heavy_item() -> None:
    items = read_ahead(iter(range(4)), depth=3, name="heavy", is_heavy=lambda _: True)
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "heavy"]
