"""Starts the operator: settings, logging, then kopf and the queue, until a signal."""

import asyncio
import os
import sys

from external_data_operator.errors import OperatorError
from external_data_operator.runtime.logs import set_up_logging
from external_data_operator.runtime.running import run_operator
from external_data_operator.settings import parse_settings


def main() -> int:
    """Runs the operator; says in one line why it cannot."""
    try:
        settings = parse_settings(os.environ)
        set_up_logging(settings)
        asyncio.run(run_operator(settings))
    except OperatorError as error:
        sys.stderr.write(f"external-data-operator: {error}\n{error.remedy}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
