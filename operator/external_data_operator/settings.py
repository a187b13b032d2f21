"""The operator's settings, and its only reader of the environment.

Every variable is optional but the runner's image and the operator's own namespace. A wrong value
ends the start with a sentence that names the variable.
"""

import fnmatch
import ipaddress
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from external_data_operator.api.problems import find_problems
from external_data_operator.api.source import Destination, Resources
from external_data_operator.errors import SettingsError

PREFIX = "EXTERNAL_DATA_"
DAY_S = 86_400


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _names(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class AllowRule(BaseModel):
    """Networks that sources of some namespaces may reach though they are private."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    namespaces: tuple[str, ...] = Field(min_length=1)
    cidrs: tuple[str, ...] = Field(min_length=1)

    @field_validator("cidrs")
    @classmethod
    def _networks(cls, cidrs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(cidr, strict=False)) for cidr in cidrs)


def _default_resources() -> Resources:
    return Resources(
        requests={"cpu": "100m", "memory": "256Mi"},
        limits={"memory": "1Gi"},
    )


class Settings(BaseModel):
    """All that an administrator decides; field names are the variables' in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    namespace: str = Field(min_length=1)
    runner_image: str = Field(min_length=1)
    runner_image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    runner_image_pull_secrets: Annotated[tuple[str, ...], BeforeValidator(_json)] = ()
    runner_resources: Annotated[Resources, BeforeValidator(_json)] = Field(
        default_factory=_default_resources
    )
    runner_scratch: str = Field(default="2Gi", min_length=1)
    default_destination: Annotated[Destination | None, BeforeValidator(_json)] = None
    allow_private_hosts: Annotated[tuple[AllowRule, ...], BeforeValidator(_json)] = ()
    reject_inline_credentials: bool = False
    watch_namespaces: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    workers: int = Field(default=8, ge=1, le=64)
    resync_seconds: int = Field(default=300, ge=10)
    run_deadline_seconds: int = Field(default=DAY_S, ge=60)
    job_ttl_seconds: int = Field(default=25 * 3600, ge=DAY_S)
    http_port: int = Field(default=8080, ge=0, le=65535)
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def private_cidrs(self, namespace: str) -> list[str]:
        """The private networks that sources of this namespace may reach, sorted."""
        found = {
            cidr
            for rule in self.allow_private_hosts
            if any(fnmatch.fnmatchcase(namespace, pattern) for pattern in rule.namespaces)
            for cidr in rule.cidrs
        }
        return sorted(found)


def logs_json(environ: Mapping[str, str]) -> bool:
    """Whether the log is JSON, also where other settings are wrong."""
    return environ.get(f"{PREFIX}LOG_FORMAT") != "text"


def parse_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in the variables; an empty variable counts as unset.

    Raises SettingsError, which names each wrong variable.
    """
    values = {
        key.removeprefix(PREFIX).lower(): value
        for key, value in environ.items()
        if key.startswith(PREFIX) and value
    }
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_name_variable(error))) from None


def _name_variable(error: ValidationError) -> list[str]:
    said = []
    for problem in find_problems(error):
        field, *rest = problem.location
        inside = f" (at {'.'.join(map(str, rest))})" if rest else ""
        said.append(f"{PREFIX}{str(field).upper()}{inside}: {problem.message}")
    return said
