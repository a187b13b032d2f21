"""Writes everything that is generated from the models: `python -m external_data_operator.crdgen`.

With `--check` nothing is written, and the exit status is 1 if a file is stale.
"""

import sys

from external_data_operator.crdgen.outputs import ROOT, build_outputs, find_stale


def main(arguments: list[str]) -> int:
    """Returns 0 if the files match the models, or were written."""
    outputs = build_outputs()
    stale = find_stale(ROOT, outputs)
    for path in stale:
        sys.stdout.write(f"{path}\n")
    if "--check" in arguments:
        return 1 if stale else 0
    for path in stale:
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(outputs[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
