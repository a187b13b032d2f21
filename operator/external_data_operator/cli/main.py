"""The entry point of the command line.

A user's mistake ends with one sentence on standard error, never with a traceback. Each command is
a module that is imported when the command runs, so that `validate` needs neither Arrow nor a
network.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from external_data_operator.cli.exits import CommandError, Exit

_PLUGIN = "kubectl-external_data"
_COMMANDS_THAT_RUN = {
    "run": "sync tables into a folder or a bucket, in this process",
    "check": "check whether the source and the destination accept a sync",
    "discover": "list the streams of a source, with their columns, keys and cursors",
    "preview": "show the first rows of one page of each stream",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is an `Exit`."""
    options = build_parser().parse_args(arguments)
    try:
        return int(_dispatch(options))
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.status)
    except BrokenPipeError:
        sys.stderr.close()
        return int(Exit.OK)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return int(Exit.STOPPED)


def _dispatch(options: argparse.Namespace) -> Exit:
    try:
        if options.command == "validate":
            from external_data_operator.cli.validate import run_validate  # noqa: PLC0415 (as above)

            return run_validate(options)
        from external_data_operator.cli.local import run_command  # noqa: PLC0415 (as above)

        return run_command(options)
    except ModuleNotFoundError as error:
        message = f"{error.name} is missing; install external-data-operator[cli]"
        raise CommandError(message, Exit.USAGE) from None


def build_parser() -> argparse.ArgumentParser:
    """Every command and option."""
    called = Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog="kubectl external-data" if called == _PLUGIN else "external-data",
        description="Brings outside data into your own lake: the same manifests as in a cluster, "
        "in one process.",
        epilog="Exit status: 0 done; 1 invalid manifest, or a bug; 2 wrong usage; 75 failed, retry "
        "later; 78 failed, a person must act; 130 stopped.",
    )
    version = metadata.version("external-data-operator")
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    validate = commands.add_parser(
        "validate", help="report the problems of manifests, by field", description="Reports the "
        "problems of manifests, by field, without cluster or network. Exits 1 if there are any.",
    )  # fmt: skip
    _add_files(validate)
    for name, summary in _COMMANDS_THAT_RUN.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        _add_files(command)
        _add_where(command, has_destination=name in ("run", "check"))
        if name == "run":
            command.add_argument(
                "--allow-shrink", action="store_true",
                help="let a full refresh leave a table with few rows or none, this time",
            )  # fmt: skip
        if name == "preview":
            command.add_argument(
                "--rows", type=_positive, default=5, metavar="N", help="rows to show (5)"
            )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a manifest, a folder of manifests, or - for standard input",
    )
    command.add_argument(
        "--json", action="store_true", help="print everything as JSON, one document per line"
    )


def _add_where(command: argparse.ArgumentParser, *, has_destination: bool) -> None:
    add = command.add_argument
    add(
        "--stream",
        action="append",
        default=[],
        metavar="NAME",
        help="only this stream; may be repeated",
    )
    add(
        "--allow-private-host", action="append", default=[], metavar="CIDR",
        help="a private network that may be reached, also by plain http; may be repeated",
    )  # fmt: skip
    add(
        "--secrets-dir", type=Path, metavar="DIR",
        help="folder of Secrets and ConfigMaps that the files lack: a key is DIR/<name>/<key>",
    )  # fmt: skip
    if has_destination:
        add(
            "--destination", metavar="ADDRESS",
            help="file:///folder or s3://bucket/prefix, instead of the destination of the source",
        )  # fmt: skip
        add(
            "--s3-endpoint",
            default="",
            metavar="URL",
            help="address of the object store of --destination s3://…",
        )
        add("--s3-region", default="us-east-1", metavar="NAME", help="region of that object store")
