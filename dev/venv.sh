#!/usr/bin/env bash
# Makes this checkout's development environment outside the repository, and prints its path.
# One base per set of pins is installed once: the lock files pin every package by version and hash. Each checkout has a copy
# of it made of hard links, with its own native decoder and its own editable install, so that no checkout changes another's.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${EXTERNAL_DATA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/external-data-operator}"
mkdir -p "$cache"
python="${PYTHON:-python3}"
checkout=$(pwd -P)
key=$({ "$python" -V; cat requirements/dev.txt dev/venv.sh; } | sha256sum | cut -c1-16)
base="$cache/base-$key"
venv="$cache/venvs/$(echo "$checkout" | sha256sum | cut -c1-16)"
if [ "${1:-}" = print ]; then echo "$venv"; exit 0; fi
native_key=$(find native -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.pyi' \) -not -path '*/target/*' -print0 \
  | sort -z | xargs -0 cat | sha256sum | cut -c1-16)

remove_orphans() {  # environments of checkouts that are gone
  local owner
  for owner in "$cache"/venvs/*/.checkout; do
    [ -e "$owner" ] && [ ! -d "$(cat "$owner")" ] && rm -rf "$(dirname "$owner")"
  done
  return 0
}

exec 9>"$cache/venv.lock"
flock 9
if [ ! -e "$base/.ready" ]; then
  echo "Installing the development environment (about a minute, once) ..." >&2
  rm -rf "$base"
  "$python" -m venv "$base"
  "$base/bin/python" -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt >&2
  touch "$base/.ready"
fi
if [ "$(cat "$venv/.base" 2>/dev/null)" != "$key" ]; then
  remove_orphans
  rm -rf "$venv"
  mkdir -p "$cache/venvs"
  cp -al "$base" "$venv" 2>/dev/null || { rm -rf "$venv"; cp -a "$base" "$venv"; }
  # Scripts name their interpreter; sed writes a new file, which leaves the base's own alone.
  grep -rlI --null -F "$base" "$venv/bin" "$venv/pyvenv.cfg" | xargs -0 sed -i "s#$base#$venv#g"
  echo "$checkout" >"$venv/.checkout"
  echo "$key" >"$venv/.base"
fi
if [ "$(cat "$venv/.native" 2>/dev/null)" != "$native_key" ]; then
  command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.89 or newer (rustup.rs)" >&2; exit 1; }
  wheel="$cache/native/$native_key"
  if ! ls "$wheel"/*.whl >/dev/null 2>&1; then
    echo "Building the native decoder (a minute or two, once) ..." >&2
    # Cargo compares times, and takes what another checkout built in this folder for its own.
    touch native/src/lib.rs
    CARGO_TARGET_DIR="$cache/native/target" PATH="$venv/bin:$PATH" \
      "$venv/bin/maturin" build --release --locked --quiet --manifest-path native/Cargo.toml --out "$wheel" >&2
  fi
  "$venv/bin/python" -m pip install --quiet --no-deps --force-reinstall --no-index "$wheel"/*.whl >&2
  echo "$native_key" >"$venv/.native"
fi
if [ ! -e "$venv/.editable" ]; then
  "$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable . >&2
  touch "$venv/.editable"
fi
echo "$venv"
