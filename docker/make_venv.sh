#!/usr/bin/env bash
# Make the virtual environment from the wheelhouse alone, so that the host runs exactly what the image runs.
#
#   docker/make_venv.sh [DIRECTORY]      default: .venv
#
# PYTHON names the interpreter (default: the first Python 3.11 found). Nothing happens when the locks, the interpreter and this
# script are those the environment was made from.
set -euo pipefail

die() {
  printf 'make_venv: %s\n' "$*" >&2
  exit 1
}

venv="${1:-.venv}"
root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"

is_python_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }

python="${PYTHON:-}"
if [ -z "$python" ]; then
  for candidate in python3.11 python3 python; do
    if is_python_311 "$candidate"; then
      python=$candidate
      break
    fi
  done
fi
[ -n "$python" ] || die "no Python 3.11 (the wheels are built for it). Next step: sudo apt-get install -y python3 python3-venv"
is_python_311 "$python" || die "$python is not Python 3.11 (the wheels are built for it). Next step: PYTHON=python3.11 make venv"

key="$(
  cd "$root/docker/requirements"
  { "$python" -c 'import sys; print(sys.version, sys.base_prefix)' && cat image.lock musicgen.lock host.lock ../make_venv.sh; } | sha256sum | cut -d' ' -f1
)"
stamp="$venv/made-from.sha256"
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
  printf '%s is up to date\n' "$venv"
  exit 0
fi

started=$SECONDS
"$python" "$root/docker/make_wheelhouse.py" --docker "$root/docker" --directory "$root/docker/wheelhouse"
printf '%s: installing ...\n' "$venv"
if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
  die "$venv exists and is no virtual environment. Next step: move it away, or make VENV=<another directory> venv"
fi
# Without its stamp an environment counts as unfinished: it is made anew.
rm -f "$stamp"
"$python" -m venv --clear "$venv" >/dev/null 2>&1 ||
  die "$python cannot make a virtual environment (ensurepip is missing). Next step: sudo apt-get install -y python3-venv"
for name in image musicgen host; do
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --no-deps --require-hashes \
    --find-links "$root/docker/wheelhouse/$name" --requirement "$root/docker/requirements/$name.lock"
done
"$venv/bin/python" -m pip --disable-pip-version-check check >/dev/null || die "the packages in $venv do not fit each other"
# The program `voice`, from this tree as it stands.
if [ -f "$root/pyproject.toml" ]; then
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --no-deps --no-build-isolation --editable "$root"
fi
printf '%s\n' "$key" >"$stamp"
printf '%s is ready (%d s)\n' "$venv" $((SECONDS - started))
