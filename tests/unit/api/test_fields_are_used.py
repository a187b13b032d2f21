"""A field that does nothing is a lie: every field of a spec is read by the operator or the
runner."""

import re
from collections.abc import Iterator
from pathlib import Path

from external_data_operator.api.base import SpecModel

from tests.unit.api.test_rules import all_models

ROOT = Path(__file__).parents[3]
READERS = ("operator/external_data_operator/reconcile", "sync_runner")


def words_of_readers() -> Iterator[str]:
    """Every word of the code that could read a field."""
    for folder in READERS:
        for path in (ROOT / folder).glob("**/*.py"):
            yield from re.findall(r"\w+", path.read_text())


def test_every_field_of_a_spec_is_read_somewhere() -> None:
    words = set(words_of_readers())
    fields = {
        f"{model.__name__}.{name}" for model in all_models(SpecModel) for name in model.model_fields
    }
    unread = {field for field in fields if field.rsplit(".", 1)[1] not in words}
    assert unread == set(PASSED_ON)


PASSED_ON = {
    "Toleration.effect": "handed to Kubernetes as it is, with its siblings",
    "Toleration.toleration_seconds": "handed to Kubernetes as it is, with its siblings",
}
"""Fields whose object is passed on whole."""
