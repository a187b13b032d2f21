"""A status is written to the object that was looked at, and to no later one of its name."""

import asyncio

from external_data_operator.cluster.api import Api

from tests.unit.reconcile.worlds import KINDS, build_source


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
