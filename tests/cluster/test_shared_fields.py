"""A real API server keeps what a person has set on a generated schema, whatever the operator
decided before it saw that.

The operator's own writer runs in the test, so that the person certainly comes between the decision
and the write.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from external_data_operator.cluster.api import Api
from external_data_operator.cluster.kinds import ApiKinds
from external_data_operator.cluster.observe import Observer
from external_data_operator.cluster.perform import Performer
from external_data_operator.cluster.store import Store
from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import StaleError
from external_data_operator.reconcile.base.world import Apply, Decision
from external_data_operator.reconcile.render.config import render_schema_object
from external_data_operator.reconcile.sources.offspring import foreign_fields
from external_data_operator.reconcile.sources.owner import own
from external_data_operator.settings import Settings
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from dev.localcluster.cluster import LocalCluster
from tests.cluster.kube import Kube, Object, build_source, install_definitions, make_namespace

NAME = "shop-items"


class Writer:
    """The operator's writer with one source, and no watch: the store knows its own writes only."""

    def __init__(self, api: Api, source: Object) -> None:
        self.api, self._source = api, source
        self._store = Store(CONTROLLERS)
        settings = Settings(namespace="ops", runner_image="runner:1")
        observer = Observer(api, self._store, CONTROLLERS, settings)
        self._performer = Performer(api, self._store, ApiKinds(CONTROLLERS), observer)

    @property
    def seen(self) -> Object | None:
        """The schema, as a decision would see it now."""
        return self._store.get("ExternalDataSchema", self._source["metadata"]["namespace"], NAME)

    async def find(self) -> Object:
        """The schema as it is, with managedFields, which kubectl leaves out."""
        kind = ApiKinds(CONTROLLERS).get("ExternalDataSchema")
        return await self.api.get(kind, self._source["metadata"]["namespace"], NAME)

    async def write(self, decided_on: Object | None = None, **fields: object) -> None:
        """Applies the schema with these fields, by a decision on what was seen then."""
        spec = {"sourceRef": {"name": "shop"}, "stream": "items", **fields}
        manifest = render_schema_object(own(self._source), NAME, spec)
        await self._performer.carry_out(Decision((Apply(manifest, decided_on),)))


@pytest.fixture
def kube(cluster: LocalCluster) -> Iterator[Kube]:
    """A namespace that no operator watches, with a source."""
    install_definitions(cluster)
    kube = make_namespace(cluster, "shared-fields")
    kube.apply(build_source("shop", "https://shop.example"))
    yield kube
    cluster.kubectl("delete", "namespace", kube.namespace, "--wait=false")


@asynccontextmanager
async def writing(kube: Kube) -> AsyncIterator[Writer]:
    """A writer whose schema has been made."""
    configuration = Configuration()
    await config.load_kube_config(str(kube.cluster.kubeconfig), client_configuration=configuration)
    api = Api(ApiClient(configuration), ApiKinds(CONTROLLERS), lambda *_: None)
    try:
        writer = Writer(api, kube.find("eds", "shop"))
        await writer.write(shouldSync=False)
        yield writer
    finally:
        await api.close()


async def outlive(kube: Kube) -> None:
    async with writing(kube) as writer:
        before = writer.seen
        assert before is not None
        patch = '{"spec":{"shouldSync":true}}'
        kube.run("patch", "edsc", NAME, "--type=merge", "-p", patch)
        with pytest.raises(StaleError):
            await writer.write(before, shouldSync=False, cron="7 3 * * *")
        live = await writer.find()
        assert live["spec"]["shouldSync"] is True
        assert foreign_fields(live) == {"shouldSync"}
        assert writer.seen == live
        await writer.api.apply_status(live, {"observedGeneration": 1})
        await writer.write(live, cron="7 3 * * *")
        live = await writer.find()
        assert (live["spec"]["cron"], live["spec"]["shouldSync"]) == ("7 3 * * *", True)
        assert foreign_fields(live) == {"shouldSync"}


async def stay_away(kube: Kube) -> None:
    async with writing(kube) as writer:
        before = writer.seen
        kube.run("delete", "edsc", NAME)
        with pytest.raises(StaleError):
            await writer.write(before)
        assert kube.find("edsc", NAME) is None


@pytest.mark.parametrize("scenario", [outlive, stay_away])
def test_a_decision_on_an_older_schema_changes_nothing_that_a_person_did_since(kube, scenario):
    asyncio.run(scenario(kube))
