#!/usr/bin/env bash
# Pins what each part needs, by version and hash and without addresses, for Python 3.11 and newer.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="$(dev/venv.sh print)/bin/uv"
[ -x "$uv" ] || { python3 -m venv build/uv && build/uv/bin/pip install --quiet uv && uv=build/uv/bin/uv; }
for part in operator runner dev; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --extra "$part" pyproject.toml -o "requirements/$part.txt"
done
for part in readers spark; do  # environments of their own: dev/environments.py
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    "requirements/$part.in" -o "requirements/$part.txt"
done
"$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
  --constraint requirements/dev.txt requirements/build.in -o requirements/build.txt
