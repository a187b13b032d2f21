"""The bases of all API models.

A spec refuses keys that it does not know, so that a typing error is seen at once; a status and a hand-off between two
versions of our own processes ignore them, so that an older reader survives a newer writer. All are frozen values with
camel-case keys, and the sentence under a field is what `kubectl explain` and the reference pages show.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


@dataclass(frozen=True)
class CelRule:
    """A rule that a structural schema cannot say; the model holds a validator that says the same.

    `rule` is a CEL expression over `self` (and `oldSelf`), `message` what a person reads when it is refused.
    `update_only` marks a transition rule, which a model alone cannot check.
    """

    rule: str
    message: str
    update_only: bool = False


class ApiModel(BaseModel):
    """A frozen value with camel-case keys; field docstrings are the schema's descriptions."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )
    cel_rules: ClassVar[tuple[CelRule, ...]] = ()


class SpecModel(ApiModel):
    """Part of a spec: what a user writes; an unknown key is an error that names it."""

    model_config = ConfigDict(extra="forbid")


class UnionModel(SpecModel):
    """A one-of union by key: exactly one field is set, and its name says which."""
