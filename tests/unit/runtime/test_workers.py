"""What the API server refuses becomes a status only where the object's own people can mend it."""

import asyncio

import pytest
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import ForbiddenError
from external_data_operator.reconcile.base.world import ResourceKey
from external_data_operator.runtime.workers import Reconciler

from tests.unit.cluster.memory_api import MemoryApi
from tests.unit.reconcile.worlds import KINDS, NOW, SETTINGS, build_source, condition

KEY = ResourceKey("ExternalDataSource", "team", "shop")
TOKEN = {"kind": "Secret", "metadata": {"namespace": "team", "name": "api"}, "data": {"token": ""}}


def look(*there, forbidden=()):
    """The status after one look at a new source, and what was raised."""
    source, store = build_source(), Store(CONTROLLERS)
    api = MemoryApi(source, TOKEN, *there, forbidden=forbidden)
    store.put(source)
    observer = Observer(api, store, CONTROLLERS, SETTINGS)
    reconciler = Reconciler(
        observer, Performer(api, store, KINDS, observer), CONTROLLERS, SETTINGS, lambda: NOW
    )
    asyncio.run(reconciler.look(KEY))
    return [body for verb, body in api.writes if verb == "status"][-1]


def test_a_refused_job_is_a_refused_pod_and_is_tried_again():
    status = look(forbidden=[("create", "Job")])
    assert condition(status, "Ready")["reason"] == "PodRefused"
    assert condition(status, "Stalled") is None
    assert condition(status, "Reconciling") is not None


def test_a_right_that_the_operator_lacks_says_nothing_against_the_source():
    with pytest.raises(ForbiddenError):
        look(forbidden=[("get", "ConfigMap")])
