"""Starts the operator: settings, logging, then kopf and the queue, until a signal."""

import asyncio
import logging
import os
import sys

from external_data_operator.controllers import CONTROLLERS
from external_data_operator.errors import OperatorError
from external_data_operator.logs import catch_uncaught, set_up
from external_data_operator.runtime.logs import set_up_logging
from external_data_operator.runtime.running import run_operator
from external_data_operator.settings import logs_json, parse_settings

_log = logging.getLogger("external_data_operator")


def main() -> int:
    """Runs the operator. An error that ends it is one line of the log."""
    # Wrong settings are a line of the log, too, so logging is set up before they are parsed.
    set_up(sys.stderr.write, as_json=logs_json(os.environ))
    catch_uncaught()
    try:
        settings = parse_settings(os.environ)
        set_up_logging(settings, CONTROLLERS)
        asyncio.run(run_operator(settings, CONTROLLERS))
    except OperatorError as error:
        _log.critical("The operator stops: %s. %s", str(error).rstrip("."), error.remedy)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
