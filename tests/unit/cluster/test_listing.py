"""Listings find out what a watch has missed, and only a watch that keeps missing things is called
stalled."""

import asyncio

import pytest
from external_data_operator.cluster.kinds import JOBS
from external_data_operator.cluster.listing import Lister
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import ClusterError
from external_data_operator.reconcile.base import marks

from tests.unit.reconcile.worlds import KINDS, SETTINGS


class Shelf:
    """Lists what a test has put there; `down` refuses so many times."""

    def __init__(self):
        self.items = {}
        self.version = 0
        self.down = 0

    def put(self, name):
        self.version += 1
        self.items[name] = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "namespace": "team",
                "name": name,
                "uid": name,
                "resourceVersion": str(self.version),
                "annotations": {marks.OWNER: "source/shop"},
            },
        }
        return self.items[name]

    async def list_all(self, kind, namespace, selector=None):
        assert (namespace, selector) == (None, None if kind.ours else marks.SELECTOR)
        if self.down > 0:
            self.down -= 1
            raise ClusterError("no answer")
        return (list(self.items.values()) if kind is JOBS else []), self.version


def build_lister(shelf, store, told=lambda: None):
    """A lister that does not wait, but lets events arrive where it would."""

    async def sleep(_seconds):
        told()

    return Lister(shelf, store, KINDS, SETTINGS, sleep=sleep)


def test_the_first_listing_waits_for_an_api_server_that_is_not_there_yet():
    shelf, store = Shelf(), Store(CONTROLLERS)
    shelf.put("a")
    shelf.down = 3
    lister = build_lister(shelf, store)
    assert not lister.filled
    asyncio.run(lister.fill())
    assert lister.filled
    assert len(store.of_kind("Job")) == 1


def test_changes_whose_events_are_on_their_way_are_not_held_against_the_watch():
    shelf, store = Shelf(), Store(CONTROLLERS)
    lister = build_lister(shelf, store, told=lambda: store.put(shelf.items["a"]))
    for _ in range(3):
        shelf.put("a")
        assert asyncio.run(lister.correct()) == []
    assert lister.stalled == []


def test_a_watch_that_misses_changes_twice_running_is_stalled_until_it_misses_none():
    shelf, store = Shelf(), Store(CONTROLLERS)
    lister = build_lister(shelf, store)
    shelf.put("a")
    assert len(asyncio.run(lister.correct())) == 1
    assert lister.stalled == []
    shelf.put("a")
    asyncio.run(lister.correct())
    assert lister.stalled == ["Job"]
    assert asyncio.run(lister.correct()) == []
    assert lister.stalled == []


def test_what_is_gone_is_forgotten_and_missing_that_once_is_not_held_against_the_watch():
    shelf, store = Shelf(), Store(CONTROLLERS)
    lister = build_lister(shelf, store)
    shelf.put("a")
    asyncio.run(lister.fill())
    for _ in range(3):
        shelf.put("b")
        store.put(shelf.items["b"])
        shelf.items.pop("a", None)
        asyncio.run(lister.correct())
    assert [one["metadata"]["name"] for one in store.of_kind("Job")] == ["b"]
    assert lister.stalled == []


def test_a_watch_that_misses_removals_twice_running_is_stalled():
    shelf, store = Shelf(), Store(CONTROLLERS)
    lister = build_lister(shelf, store)
    shelf.put("a")
    shelf.put("b")
    asyncio.run(lister.fill())
    for name in ("a", "b"):
        del shelf.items[name]
        shelf.version += 1
        assert len(asyncio.run(lister.correct())) == 1
    assert lister.stalled == ["Job"]


def test_a_listing_that_fails_says_so_and_changes_nothing():
    shelf, store = Shelf(), Store(CONTROLLERS)
    lister = build_lister(shelf, store)
    shelf.put("a")
    asyncio.run(lister.fill())
    shelf.down = 1
    with pytest.raises(ClusterError):
        asyncio.run(lister.correct())
    assert len(store.of_kind("Job")) == 1
