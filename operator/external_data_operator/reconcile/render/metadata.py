"""Whose child an object is: its labels, annotations and owner reference."""

from collections.abc import Mapping
from dataclasses import dataclass

from external_data_operator.api.meta import GROUP_VERSION
from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.naming import label_value
from external_data_operator.reconcile.base.world import Object, name_of, namespace_of, uid_of


@dataclass(frozen=True)
class Owner:
    """Whom a child belongs to; it goes when its owner goes."""

    item: Object
    kind: str
    source: str

    @property
    def is_source(self) -> bool:
        """Whether the child belongs to the source itself."""
        return self.kind == "ExternalDataSource"

    def metadata(
        self, name: str, *, task: str | None = None, notes: Mapping[str, str] | None = None
    ) -> Object:
        """Metadata of a child of this owner."""
        return {
            "name": name,
            "namespace": namespace_of(self.item),
            "labels": self.labels(task),
            "annotations": {**self.annotations(), **(notes or {})},
            "ownerReferences": [self.reference()],
        }

    def labels(self, task: str | None) -> dict[str, str]:
        """Labels of a child; people select by them, and so do the watches."""
        labels = {
            marks.MANAGED_BY_LABEL: marks.MANAGED_BY,
            marks.OWNER_UID_LABEL: uid_of(self.item),
            marks.SOURCE_LABEL: label_value(self.source),
        }
        if not self.is_source:
            labels[marks.SCHEMA_LABEL] = label_value(name_of(self.item))
        if task is not None:
            labels[marks.TASK_LABEL] = task
        return labels

    def annotations(self) -> dict[str, str]:
        """How a child's event finds its owner."""
        kind = marks.SOURCE_OWNER if self.is_source else marks.SCHEMA_OWNER
        return {marks.OWNER: f"{kind}/{name_of(self.item)}"}

    def reference(self) -> Object:
        """The owner reference."""
        return {
            "apiVersion": GROUP_VERSION,
            "kind": self.kind,
            "name": name_of(self.item),
            "uid": uid_of(self.item),
            "controller": True,
            "blockOwnerDeletion": True,
        }
