"""Plans, discoveries and Secrets, and the schema of a discovered stream."""

from collections.abc import Mapping

from external_data_operator.api.meta import GROUP_VERSION
from external_data_operator.api.plan import PLAN_KEY
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Object
from external_data_operator.reconcile.render.metadata import Owner


def render_plan(owner: Owner, name: str, text: str, *, task: str) -> Object:
    """The ConfigMap that holds a plan; a changed plan gets another name, so that a running pod
    keeps its own."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(name, task=task),
        "immutable": True,
        "data": {PLAN_KEY: text},
    }


def render_discovery(
    owner: Owner, name: str, keys: Mapping[str, str], notes: Mapping[str, str]
) -> Object:
    """The head of a catalogue, which keeps what a check found, longer than its pod; values are
    base64."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(name, notes=notes),
        "binaryData": dict(keys),
    }


def render_catalogue_part(owner: Owner, name: str, keys: Mapping[str, str]) -> Object:
    """What does not fit into the head; the name is that of the content."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": owner.metadata(name, task=marks.CATALOGUE),
        "immutable": True,
        "binaryData": dict(keys),
    }


def render_secret(owner: Owner, name: str, notes: Mapping[str, str] | None = None) -> Object:
    """An owned Secret without its data, which never passes through here."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": owner.metadata(name, notes=notes),
        "type": "Opaque",
    }


def render_schema_object(owner: Owner, name: str, spec: Object) -> Object:
    """A schema for a discovered stream."""
    return {
        "apiVersion": GROUP_VERSION,
        "kind": "ExternalDataSchema",
        "metadata": owner.metadata(name),
        "spec": spec,
    }
