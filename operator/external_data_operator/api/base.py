"""The bases of all API models.

A spec refuses keys that it does not know, so that a typing error is seen at once; a status and a
hand-off between two versions of our own processes ignore them, so that an older reader survives a
newer writer. All are frozen values with camel-case keys, and the sentence under a field is what
`kubectl explain` and the reference pages show. A rule that a schema cannot express is a `CelRule`:
one declaration, checked by the API server as CEL and here as Python.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

BROKEN_RULE = "broken_rule"
"""Pydantic's type of the error of a rule that does not hold; its context names the field."""


@dataclass(frozen=True)
class CelRule:
    """A rule that a structural schema cannot express.

    `rule` is a CEL expression over `self` (and `oldSelf`), `message` the reason for people when it
    is refused, `holds` the same test of a parsed model. `update_only` marks a transition rule,
    which a model alone cannot check. `field` is the key, below the rule's own object, that the
    refusal points at.
    """

    rule: str
    message: str
    holds: Callable[[Any], bool] | None = None
    update_only: bool = False
    field: str | None = None

    def __post_init__(self) -> None:
        if (self.holds is None) != self.update_only:
            raise ValueError(f"{self.message}: a rule has `holds`, or is a transition rule")


def build_immutable_rule(field: str, *, default: str | None = None) -> CelRule:
    """A transition rule: `field` keeps its value; an optional one counts as `default` (a CEL
    literal)."""

    def value_of(root: str) -> str:
        path = f"{root}.{field}"
        return path if default is None else f"(has({path}) ? {path} : {default})"

    return CelRule(
        f"{value_of('self')} == {value_of('oldSelf')}",
        f"{field} is immutable",
        update_only=True,
        field=field,
    )


class ApiModel(BaseModel):
    """A frozen value with camel-case keys; the sentence under a field is its description in the
    schema."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        # A run builds the validators of its plan and its report alone, not those of every model.
        defer_build=True,
    )
    cel_rules: ClassVar[tuple[CelRule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.cel_rules:
            if rule.holds is not None and not rule.holds(self):
                context = {"message": rule.message, "field": rule.field}
                raise PydanticCustomError(BROKEN_RULE, "{message}", context)
        return self


class SpecModel(ApiModel):
    """Part of a spec: what a user writes; an unknown key is an error that names it."""

    model_config = ConfigDict(extra="forbid")


class UnionModel(SpecModel):
    """A one-of union by key: exactly one field is set."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self._keys_set()) != 1:
            keys = ", ".join(to_camel(name) for name in type(self).model_fields)
            raise ValueError(f"exactly one of these must be set: {keys}")
        return self

    @property
    def key(self) -> str:
        """The camel-case key that is set."""
        return to_camel(self._keys_set()[0])

    def _keys_set(self) -> list[str]:
        return [name for name in type(self).model_fields if getattr(self, name) is not None]


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`; those of priority 1 need `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True)
class ResourceKind:
    """What the API server must know of a custom resource besides the schemas of its spec and
    status."""

    kind: str
    plural: str
    short_name: str
    description: str
    spec: type[ApiModel]
    status: type[ApiModel]
    columns: tuple[PrinterColumn, ...]
    selectable_fields: tuple[str, ...]
    """JSON paths that field selectors may name."""

    @property
    def singular(self) -> str:
        """The kind in small letters, as `kubectl get` also takes it."""
        return self.kind.lower()
