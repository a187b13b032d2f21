"""Reads a stream of a server under test the way a run does, and gives back plain rows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from external_data_operator.api.conditions import Reason
from external_data_operator.api.meta import CertificateRef, SecretValue
from external_data_operator.api.plan import FileDestination, Plan, TableTarget

from sync_runner.errors import ConfigurationError
from sync_runner.protocols import Batch, Position, ReadRequest
from sync_runner.sources.rest.source import RestReader
from tests.clocks import JumpingClock
from tests.servers.rest import RestServer

LOOPBACK = ["127.0.0.0/8"]


@dataclass
class GivenCredentials:
    """Credentials by Secret and key."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def secret(self, value: SecretValue) -> str:
        """What was given for the reference."""
        assert value.secret_key_ref is not None, "a plan refers to credentials"
        return self._find(value.secret_key_ref.name, value.secret_key_ref.key)

    def certificate(self, ref: CertificateRef) -> str:
        """What was given for the reference."""
        key_ref = ref.secret_key_ref or ref.config_map_key_ref
        assert key_ref is not None, "one of the two is set"
        return self._find(key_ref.name, key_ref.key)

    def keys_of(self, secret_name: str) -> dict[str, str]:
        """All keys that were given for a Secret."""
        return {key: text for (name, key), text in self.values.items() if name == secret_name}

    def _find(self, name: str, key: str) -> str:
        if (name, key) not in self.values:
            message = f"Secret {name} has no key {key}"
            raise ConfigurationError(Reason.SECRET_NOT_FOUND, message)
        return self.values[name, key]


def make_plan(
    server: RestServer,
    stream: dict[str, Any],
    *,
    sync: dict[str, Any] | None = None,
    rest: dict[str, Any] | None = None,
    limits: dict[str, Any] | None = None,
    cidrs: Iterable[str] = LOOPBACK,
) -> Plan:
    """A plan to sync one stream named `orders` at `/orders`, with rows below `data`."""
    one = {"name": "orders", "path": "/orders", "recordsPath": "data", **stream}
    return Plan.model_validate(
        {
            "task": "Sync",
            "namespace": "analytics",
            "source": "shop",
            "rest": {"baseUrl": server.url, "streams": [one], **(rest or {})},
            "tables": [
                {
                    "sync": {"stream": one["name"], **(sync or {})},
                    "target": {"file": {"path": "unused"}, "path": "analytics/orders"},
                }
            ],
            "limits": limits or {},
            "network": {"privateCidrs": list(cidrs)},
        }
    )


def write_to(plan: Plan, target: TableTarget) -> Plan:
    """The plan, with its table somewhere else."""
    return plan.narrow(plan.only.model_copy(update={"target": target}))


def in_folder(folder: Path, path: str = "analytics/orders") -> TableTarget:
    """A table in a folder of this machine."""
    return TableTarget(file=FileDestination(path=str(folder)), path=path)


def open_source(
    plan: Plan,
    *,
    clock: JumpingClock | None = None,
    credentials: GivenCredentials | None = None,
) -> RestReader:
    """The source as a run opens it."""
    return RestReader(
        plan,
        credentials=credentials or GivenCredentials(),
        clock=clock or JumpingClock(),
        is_stopped=lambda: False,
    )


def read(
    plan: Plan,
    *,
    since: Position | None = None,
    resume: str | None = None,
    clock: JumpingClock | None = None,
    credentials: GivenCredentials | None = None,
) -> list[Batch]:
    """All batches of a run."""
    source = open_source(plan, clock=clock, credentials=credentials)
    return list(source.read(ReadRequest(since=since, resume=resume)))


def refuse(server: RestServer, pagination: dict[str, Any], **plan: Any) -> ConfigurationError:
    """The error of a run whose plan pages in a way that the server does not."""
    with pytest.raises(ConfigurationError) as caught:
        read(make_plan(server, {"pagination": pagination}, **plan))
    return caught.value


def rows_of(batches: Iterable[Batch]) -> list[dict[str, Any]]:
    """The rows in order, with what is JSON text as values again."""
    rows: list[dict[str, Any]] = []
    for batch in batches:
        nested = [f.name for f in batch.records.schema if (f.metadata or {}).get(b"json")]
        for row in batch.records.to_pylist():
            texts = {name: row[name] for name in nested if row[name] is not None}
            rows.append(row | {name: json.loads(text) for name, text in texts.items()})
    return rows


def ids_of(batches: Iterable[Batch]) -> list[int]:
    """The rows' keys in order."""
    full = [batch.records for batch in batches if batch.records.num_rows]
    return [number for records in full for number in records.column("id").to_pylist()]
