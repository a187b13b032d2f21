"""`external-data validate`: one line for each problem, or one line with the number of valid
objects. Valid fields that are likely a mistake are warnings."""

import argparse
import json
import sys

from external_data_operator.cli.exits import Exit
from external_data_operator.cli.manifests import ManifestFinding, Manifests, read_manifests
from external_data_operator.cli.validation import find_all_doubts, find_all_problems


def run_validate(options: argparse.Namespace) -> Exit:
    """Exit.INVALID if there is a problem, or if the files contain no object of our kinds."""
    manifests = read_manifests(options.files)
    findings = find_all_problems(manifests)
    for doubt in find_all_doubts(manifests):
        print(_as_json(doubt, warning=True) if options.json else f"warning: {doubt}")
    for finding in findings:
        print(_as_json(finding) if options.json else finding)
    if findings:
        plural = "" if len(findings) == 1 else "s"
        print(f"{len(findings)} problem{plural}", file=sys.stderr)
        return Exit.INVALID
    if not manifests.sources and not manifests.schemas:
        print("the files contain no ExternalDataSource and no ExternalDataSchema", file=sys.stderr)
        return Exit.INVALID
    if not options.json:
        print(f"valid: {_count(manifests)}")
    return Exit.OK


def _as_json(finding: ManifestFinding, *, warning: bool = False) -> str:
    return json.dumps(
        {
            "file": finding.file,
            "line": finding.line,
            "resource": finding.resource,
            "field": finding.problem.path,
            "message": finding.problem.message,
            **({"warning": True} if warning else {}),
        }
    )


def _count(manifests: Manifests) -> str:
    counts = [
        (len(manifests.sources), "source"),
        (len(manifests.schemas), "schema"),
        (len(manifests.secrets), "Secret"),
        (len(manifests.config_maps), "ConfigMap"),
        (manifests.others, "other"),
    ]
    return ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)
