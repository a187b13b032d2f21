"""A write names the object that was looked at, and holds for no other one of its name."""

import asyncio

from external_data_operator.cluster.api import Api

from tests.unit.reconcile.worlds import KINDS, build_schema, build_source


class Recording(Api):
    """Keeps the last body and answers nothing."""

    async def _raw(self, method, path, *, body=None, **_):
        self.body = body
        return b"{}"


def test_a_status_names_the_uid_of_its_object():
    api = Recording(None, KINDS, lambda *_: None)
    asyncio.run(api.apply_status(build_source(), {"phase": "Running"}))
    assert api.body["metadata"] == {"name": "shop", "namespace": "team", "uid": "source-uid"}
    assert api.body["status"] == {"phase": "Running"}


def test_an_apply_names_the_version_that_it_was_decided_on():
    api = Recording(None, KINDS, lambda *_: None)
    wanted, there = {**build_schema(), "metadata": {"name": "o", "namespace": "t"}}, build_schema()
    asyncio.run(api.apply(wanted, there))
    bound = {"uid": "shop-orders-uid", "resourceVersion": "7"}
    assert api.body["metadata"] == {"name": "o", "namespace": "t", **bound}
