"""Problems of a spec, by field, in messages that contain no value of the spec."""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from external_data_operator.api.base import BROKEN_RULE

_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "has too few entries; the minimum is {min_length}",
    "too_long": "has too many entries; the maximum is {max_length}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}
"""Our messages for pydantic's kinds of errors; other kinds keep pydantic's message."""


@dataclass(frozen=True)
class Problem:
    """One problem."""

    location: tuple[str | int, ...]
    """Keys and indexes that lead there."""
    message: str

    @property
    def path(self) -> str:
        """The location as Kubernetes writes it: `rest.streams[0].name`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.location)
        return "".join(steps).removeprefix(".")

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.location else self.message


def find_problems(error: ValidationError, *, below: tuple[str | int, ...] = ()) -> list[Problem]:
    """All of them, in the order of the document; `below` goes before each location."""
    return [
        Problem((*below, *_find_location(found)), _say(found))
        for found in error.errors(include_url=False, include_input=False)
    ]


def _find_location(found: ErrorDetails) -> tuple[str | int, ...]:
    """Without pydantic's own word for the key of a map, and with the field that a rule points
    at."""
    location = tuple(step for step in found["loc"] if step != "[key]")
    field = found.get("ctx", {}).get("field") if found["type"] == BROKEN_RULE else None
    return location if field is None else (*location, field)


def _say(found: ErrorDetails) -> str:
    sentence = _SENTENCES.get(found["type"])
    if sentence is None:
        return found["msg"].removeprefix("Value error, ")
    return sentence.format(**found.get("ctx", {}))
