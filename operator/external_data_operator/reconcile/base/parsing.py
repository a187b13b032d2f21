"""From an object of the API server to our models; what is wrong becomes one sentence that names
the field."""

from typing import TypeVar

from pydantic import ValidationError

from external_data_operator.api.base import ApiModel
from external_data_operator.api.plan import Discovery
from external_data_operator.api.problems import find_problems
from external_data_operator.api.schema import SchemaSpec
from external_data_operator.api.source import SourceSpec
from external_data_operator.errors import SpecError
from external_data_operator.reconcile.base.marks import DISCOVERY_KEY
from external_data_operator.reconcile.base.world import Object

PROBLEMS_MAX = 3
Model = TypeVar("Model", bound=ApiModel)


def parse_source_spec(item: Object) -> SourceSpec:
    """The spec of a source. Raises SpecError."""
    return _parse(SourceSpec, item)


def parse_schema_spec(item: Object) -> SchemaSpec:
    """The spec of a schema. Raises SpecError."""
    return _parse(SchemaSpec, item)


def read_status(model: type[Model], item: Object) -> Model:
    """The status that the object has, or as much of it as this model holds; an empty one where it
    cannot be read, as it can be made again."""
    try:
        return model.model_validate(item.get("status") or {})
    except ValidationError:
        return model()


def read_discovery(config_map: Object | None) -> Discovery | None:
    """What the last check found; None where nothing readable was kept."""
    text = ((config_map or {}).get("data") or {}).get(DISCOVERY_KEY)
    return None if text is None else parse_discovery(text)


def parse_discovery(log: str) -> Discovery | None:
    """The document that a check printed: the last line that is one."""
    for line in reversed(log.strip().split("\n")):
        if line.startswith("{"):
            try:
                return Discovery.model_validate_json(line)
            except ValidationError:
                continue
    return None


def _parse(model: type[Model], item: Object) -> Model:
    try:
        return model.model_validate(item.get("spec") or {})
    except ValidationError as error:
        problems = find_problems(error)
    said = [str(problem) for problem in problems[:PROBLEMS_MAX]]
    if len(problems) > PROBLEMS_MAX:
        said.append(f"and {len(problems) - PROBLEMS_MAX} more")
    raise SpecError("; ".join(said))
