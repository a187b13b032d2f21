"""The queue gives each key once, never to two workers at a time, and waits longer after each
failure.
"""

import asyncio

from external_data_operator.reconcile.base.world import ResourceKey
from external_data_operator.runtime.work_queue import WorkQueue

A, B = (
    ResourceKey("ExternalDataSource", "team", "a"),
    ResourceKey("ExternalDataSource", "team", "b"),
)


class Clock:
    """Seconds that a test turns by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


async def take_now(queue):
    """The next key, or None where nothing is due."""
    try:
        return await asyncio.wait_for(queue.take(), 0.02)
    except TimeoutError:
        return None


def run(scenario):
    clock = Clock()

    async def started():
        await scenario(WorkQueue(clock), clock)

    asyncio.run(started())


def test_a_key_that_is_added_twice_is_given_once():
    async def scenario(queue, _):
        queue.add(A)
        queue.add(A)
        queue.add(B)
        assert [await take_now(queue), await take_now(queue), await take_now(queue)] == [A, B, None]

    run(scenario)


def test_a_key_that_changes_during_its_look_is_given_once_more_afterwards():
    async def scenario(queue, _):
        queue.add(A)
        assert await take_now(queue) == A
        queue.add(A)
        queue.add(A)
        assert await take_now(queue) is None
        queue.done(A)
        assert await take_now(queue) == A
        queue.done(A)
        assert await take_now(queue) is None

    run(scenario)


def test_a_key_for_later_is_given_at_the_earliest_of_its_times():
    async def scenario(queue, clock):
        queue.add_later(A, 60)
        queue.add_later(A, 10)
        queue.add_later(A, 30)
        clock.now = 9.9
        assert await take_now(queue) is None
        clock.now = 10
        assert await take_now(queue) == A
        queue.done(A)
        clock.now = 100
        assert await take_now(queue) is None

    run(scenario)


def test_a_later_time_of_an_older_look_is_forgotten_by_a_newer_one():
    async def scenario(queue, clock):
        queue.add(A)
        await take_now(queue)
        queue.done(A, look_again_s=10)
        queue.add(A)
        await take_now(queue)
        queue.done(A)
        clock.now = 10
        assert await take_now(queue) is None

    run(scenario)


def test_a_failing_key_waits_longer_each_time_and_at_most_five_minutes():
    async def scenario(queue, clock):
        pauses = []
        queue.add(A)
        for _ in range(12):
            assert await take_now(queue) == A
            pauses.append(queue.failed(A))
            clock.now += pauses[-1]
        assert pauses[:5] == [1, 2, 4, 8, 16]
        assert pauses[-1] == 300
        await take_now(queue)
        queue.done(A)
        queue.add(A)
        await take_now(queue)
        assert queue.failed(A) == 1

    run(scenario)


def test_a_failing_key_is_not_looked_at_at_once_although_it_changed_meanwhile():
    async def scenario(queue, clock):
        queue.add(A)
        await take_now(queue)
        queue.add(A)
        queue.failed(A)
        assert await take_now(queue) is None
        clock.now = 1
        assert await take_now(queue) == A

    run(scenario)


def test_a_worker_that_waits_is_woken_by_a_key():
    async def scenario(queue, _):
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        queue.add(A)
        assert await asyncio.wait_for(waiting, 1) == A

    run(scenario)
