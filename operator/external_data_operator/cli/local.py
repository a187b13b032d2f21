"""The commands that read a source: from options to a session, and the function of each command."""

import argparse
import logging
from collections.abc import Callable, Mapping

from external_data_operator.cli.display import Display
from external_data_operator.cli.exits import CommandError, Exit
from external_data_operator.cli.looking import run_check, run_discover, run_preview
from external_data_operator.cli.manifests import Manifests, read_manifests
from external_data_operator.cli.planning import Wishes, parse_cidrs, parse_target
from external_data_operator.cli.session import CommandSession
from external_data_operator.cli.syncing import run_syncs
from external_data_operator.cli.validation import find_all_problems

COMMANDS: Mapping[str, Callable[[CommandSession], Exit]] = {
    "run": run_syncs,
    "check": run_check,
    "discover": run_discover,
    "preview": run_preview,
}


def run_command(options: argparse.Namespace) -> Exit:
    """Runs the command that the options name. Raises CommandError for a user's mistake."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    session = CommandSession(
        manifests=_read_valid(options.files),
        wishes=_parse_wishes(options),
        display=Display.open(as_json=options.json),
        secrets_dir=options.secrets_dir,
        rows_max=getattr(options, "rows", 0),
        allow_shrink=getattr(options, "allow_shrink", False),
    )
    return COMMANDS[options.command](session)


def _read_valid(files: list[str]) -> Manifests:
    manifests = read_manifests(files)
    findings = find_all_problems(manifests)
    if findings:
        lines = "\n  ".join(map(str, findings))
        raise CommandError(f"the manifests are not valid\n  {lines}", Exit.INVALID)
    if not manifests.sources:
        raise CommandError("the files contain no ExternalDataSource", Exit.INVALID)
    return manifests


def _parse_wishes(options: argparse.Namespace) -> Wishes:
    address = getattr(options, "destination", None)
    target = None
    if address is not None:
        target = parse_target(address, endpoint=options.s3_endpoint, region=options.s3_region)
    return Wishes(options.stream, parse_cidrs(options.allow_private_host), target)
