"""Whose child an object is: its labels, annotations and owner reference."""

from collections.abc import Mapping
from dataclasses import dataclass

from external_data_operator.reconcile.base import marks
from external_data_operator.reconcile.base.world import Object, name_of, namespace_of, uid_of


@dataclass(frozen=True)
class Owner:
    """The owner of a child; Kubernetes deletes the child with its owner."""

    item: Object
    word: str
    """How a child names the kind, see `marks.OWNER`."""
    kind_labels: Mapping[str, str]
    """Labels of the kind's own; people select by them."""

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
            **self.kind_labels,
        }
        return labels if task is None else {**labels, marks.TASK_LABEL: task}

    def annotations(self) -> dict[str, str]:
        """How a child's event finds its owner."""
        return {marks.OWNER: f"{self.word}/{name_of(self.item)}"}

    def reference(self) -> Object:
        """The owner reference."""
        return {
            "apiVersion": self.item["apiVersion"],
            "kind": self.item["kind"],
            "name": name_of(self.item),
            "uid": uid_of(self.item),
            "controller": True,
            "blockOwnerDeletion": True,
        }
