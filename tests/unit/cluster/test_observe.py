"""A Secret is seen by its keys and a digest of its values, which shows when it was rotated."""

import asyncio

import pytest
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.reconcile.base.world import ResourceKey

from tests.unit.cluster.memory_api import MemoryApi
from tests.unit.reconcile.worlds import SETTINGS, build_source

TOKEN = "c2VjcmV0"


def seen(data=TOKEN, uid="u1", resource_version="7", **meta):
    """What a source's look sees of the Secret that it refers to."""
    metadata = {"namespace": "team", "name": "api", "uid": uid, **meta}
    secret = {"kind": "Secret", "metadata": metadata, "data": {"token": data}}
    api, store = MemoryApi(secret), Store(CONTROLLERS)
    api.items["Secret", "team", "api"]["metadata"]["resourceVersion"] = resource_version
    store.put(build_source())
    observer = Observer(api, store, CONTROLLERS, SETTINGS)
    observed = asyncio.run(observer.look(ResourceKey("ExternalDataSource", "team", "shop")))
    return observed.secrets["api"]


def test_a_label_that_comes_and_goes_is_no_rotation():
    assert seen(labels={"last-used": "today"}, resource_version="8") == seen()


@pytest.mark.parametrize(
    "other", [{"data": "b3RoZXI="}, {"uid": "u2"}], ids=["another value", "a Secret made anew"]
)
def test_another_value_or_another_secret_is_a_rotation(other):
    assert seen(**other).version != seen().version


def test_no_value_is_kept():
    assert TOKEN not in repr(seen())
