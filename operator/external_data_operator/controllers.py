"""The kinds of resource that the operator reconciles: one line each.

The cluster's side and the runtime are given this table and name no kind; the CRDs and the reference
pages are generated from it. A kind's model, what a look at it reads, how it decides and which
objects its changes wake are in its `Controller`.
"""

from collections.abc import Mapping

from external_data_operator.reconcile.base.controller import Controller
from external_data_operator.reconcile.schemas.controller import CONTROLLER as SCHEMAS
from external_data_operator.reconcile.sources.controller import CONTROLLER as SOURCES

CONTROLLERS: Mapping[str, Controller] = {
    one.resource.kind: one
    for one in (
        SOURCES,
        SCHEMAS,
    )
}
"""Kind → controller."""
