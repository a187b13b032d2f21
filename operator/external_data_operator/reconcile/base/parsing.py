"""From an object of the API server to our models; problems become one sentence that names the
field."""

from typing import TypeVar

from pydantic import ValidationError

from external_data_operator.api.base import ApiModel
from external_data_operator.api.conditions import Reason
from external_data_operator.api.problems import find_problems
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.status import end_sentence
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


def say_refused(error: SpecError) -> str:
    """The message of a condition for this error."""
    if error.reason is not Reason.INVALID_SPEC:
        return str(error)
    return f"The spec is not valid: {end_sentence(str(error))}"


def read_status(model: type[Model], item: Object) -> Model:
    """The status of the object, as far as the model knows it. One that cannot be parsed is empty,
    because the operator can build it again."""
    try:
        return model.model_validate(item.get("status") or {})
    except ValidationError:
        return model()
