#!/usr/bin/env bash
# What ./tests/run and ./dsl-examples/run do first: install the Debian packages that are missing,
# configure (preset dev, into build/) and build. Quiet and quick when there is nothing to do.
# Arguments: the targets to build (default: all).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

missing=()
if command -v dpkg-query >/dev/null; then
  while read -r package; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [[ $status == installed ]] || missing+=("$package")
  done < <(grep -vE '^[[:space:]]*(#|$)' tests/tools/packages.txt)
else
  echo "prepare: no dpkg here; install the equivalents of tests/tools/packages.txt by hand" >&2
fi

if ((${#missing[@]})); then
  echo "prepare: installing ${missing[*]}" >&2
  run_as_root=()
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null && ! [[ -t 0 ]]; then
      echo "prepare: these packages are missing and only root can install them:" >&2
      echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    run_as_root=(sudo)
  fi
  install() {
    "${run_as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
  }
  "${run_as_root[@]}" apt-get update -qq >&2
  install || {
    echo "prepare: apt could not install ${missing[*]}; Dini is built on Debian 12 (bookworm)" >&2
    exit 1
  }
fi

if [[ ! -f build/build.ninja ]]; then
  cmake --preset dev >build-configure.log 2>&1 || {
    cat build-configure.log >&2
    exit 1
  }
  rm -f build-configure.log
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! ninja -C build ${DINI_NINJA_FLAGS:-} "$@" >"$log" 2>&1; then
  grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" >&2 || true
  echo "prepare: the build failed" >&2
  exit 1
fi
