"""Opens the store of a plan's tables. An endpoint that a user chose is checked against the host
rules first, since the store's client resolves and connects by itself."""

from external_data_operator.api.conditions import Reason
from external_data_operator.api.plan import Plan, TableTarget, Task

from sync_runner.errors import ConfigurationError, RetryableError
from sync_runner.network.failures import ConnectError
from sync_runner.network.hosts import build_rules
from sync_runner.network.sockets import require_all_allowed
from sync_runner.protocols import Credentials
from sync_runner.storage import ObjectStore, open_store
from sync_runner.transport.origin import parse_origin


def open_destination(plan: Plan, target: TableTarget, credentials: Credentials) -> ObjectStore:
    """The folder of a table, or of all tables of the source. Raises RunError."""
    if target.s3 is not None and target.s3.endpoint and not target.trusted:
        _require_endpoint_allowed(target.s3.endpoint, plan)
    return open_store(target, credentials)


def _require_endpoint_allowed(endpoint: str, plan: Plan) -> None:
    try:
        rules = build_rules(plan.network.private_cidrs)
        require_all_allowed(parse_origin(endpoint).endpoint, rules)
    except ValueError as error:
        message = f"destination.s3.endpoint: {error}"
        raise ConfigurationError(Reason.INVALID_DESTINATION, message) from error
    except ConnectError as error:
        message = f"destination.s3.endpoint: {error}"
        if plan.task is Task.CHECK:
            raise ConfigurationError(Reason.INVALID_DESTINATION, message) from error
        raise RetryableError(Reason.STORAGE_UNAVAILABLE, message) from error
    except ConfigurationError as error:
        message = f"destination.s3.endpoint: {error}"
        raise ConfigurationError(error.reason, message) from error
