"""From an object of the API server to our models; what is wrong becomes one sentence that names
the field."""

from typing import TypeVar

from pydantic import ValidationError

from external_data_operator.api.base import ApiModel
from external_data_operator.api.problems import find_problems
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.world import Object

PROBLEMS_MAX = 3
Model = TypeVar("Model", bound=ApiModel)


def parse_spec(model: type[Model], item: Object) -> Model:
    """The spec of an object of one of our own kinds. Raises SpecError."""
    try:
        return model.model_validate(item.get("spec") or {})
    except ValidationError as error:
        problems = find_problems(error)
    said = [str(problem) for problem in problems[:PROBLEMS_MAX]]
    if len(problems) > PROBLEMS_MAX:
        said.append(f"and {len(problems) - PROBLEMS_MAX} more")
    raise SpecError("; ".join(said))


def read_status(model: type[Model], item: Object) -> Model:
    """The status that the object has, or as much of it as this model holds; an empty one where it
    cannot be read, as it can be made again."""
    try:
        return model.model_validate(item.get("status") or {})
    except ValidationError:
        return model()
