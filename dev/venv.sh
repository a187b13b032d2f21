#!/usr/bin/env bash
# Makes the development environment outside the repository, keyed by what it is made from, and prints its path.
# The lock files pin every package by version and hash; the native decoder is built by Cargo into the same environment.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${EXTERNAL_DATA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/external-data-operator}"
mkdir -p "$cache"
python="${PYTHON:-python3}"
key=$({ "$python" -V; cat requirements/dev.txt dev/venv.sh; } | sha256sum | cut -c1-16)
venv="$cache/venv-$key"
native_key=$(find native -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.pyi' \) -not -path '*/target/*' -print0 \
  | sort -z | xargs -0 cat | sha256sum | cut -c1-16)
here_key=$(pwd | sha256sum | cut -c1-16)
exec 9>"$cache/venv.lock"
flock 9
if [ "${1:-}" = print ]; then echo "$venv"; exit 0; fi
if [ ! -e "$venv/.ready" ]; then
  echo "Installing the development environment (about a minute, once) ..." >&2
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt >&2
  touch "$venv/.ready"
fi
if [ "$(cat "$venv/.native" 2>/dev/null)" != "$native_key" ] && [ -e native/Cargo.toml ]; then
  command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.89 or newer (rustup.rs)" >&2; exit 1; }
  wheel="$cache/native/$native_key"
  if ! ls "$wheel"/*.whl >/dev/null 2>&1; then
    echo "Building the native decoder (a minute or two, once) ..." >&2
    CARGO_TARGET_DIR="$cache/native/target" PATH="$venv/bin:$PATH" \
      "$venv/bin/maturin" build --release --locked --quiet --manifest-path native/Cargo.toml --out "$wheel" >&2
  fi
  "$venv/bin/python" -m pip install --quiet --no-deps --force-reinstall --no-index "$wheel"/*.whl >&2
  echo "$native_key" >"$venv/.native"
fi
if [ "$(cat "$venv/.editable" 2>/dev/null)" != "$here_key" ]; then
  "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . >&2
  echo "$here_key" >"$venv/.editable"
fi
echo "$venv"
