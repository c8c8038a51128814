#!/usr/bin/env bash
# Make the virtual environment from the wheelhouse alone, so that the host runs exactly what the image runs.
#
#   docker/make_venv.sh [DIRECTORY]      default: .venv
#
# PYTHON names the interpreter (default: the first Python 3.11 found). EXTRAS adds sets: musicgen (that backbone), whisper (that
# recogniser), distributed (Ray), tests (a browser's driver); an environment that has it keeps it. Nothing happens when the locks, the interpreter and this script are those the environment was made from.
set -euo pipefail

die() {
  printf 'make_venv: %s\n' "$*" >&2
  exit 1
}

venv="${1:-.venv}"
root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
ticker=""
trap '[ -z "$ticker" ] || kill "$ticker" 2>/dev/null' EXIT

# What cannot work is said before anything is fetched.
system="$(uname -s) $(uname -m)"
[ "$system" = "Linux x86_64" ] ||
  die "this machine is $system; the pinned wheels are for Linux on x86-64. Next step: run it there (a machine, a virtual machine or a container of linux/amd64)"

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
"$python" -c 'import platform, sys; name, version = platform.libc_ver()
sys.exit(name != "glibc" or tuple(map(int, version.split(".")[:2])) < (2, 28))' ||
  die "$python has no glibc of 2.28 or newer (the wheels are built for it; musl does not do). Next step: run it on Debian 12 or the like"
if [ -e "$venv" ] && [ ! -f "$venv/pyvenv.cfg" ]; then
  die "$venv exists and is no virtual environment. Next step: move it away, or make VENV=<another directory> venv"
fi

sets=(image host)
known=(musicgen distributed tests whisper)
stamp="$venv/made-from.sha256"
for name in ${EXTRAS:-}; do
  [[ " ${known[*]} " = *" $name "* ]] || die "EXTRAS=$name: there is no such set. Next step: EXTRAS=musicgen"
done
for name in "${known[@]}"; do
  if [[ " ${EXTRAS:-} " = *" $name "* ]] || grep -qs "^$name " "$stamp"; then sets+=("$name"); fi
done

# One line per set; the first one is what all of them rest on.
base="$({ "$python" -c 'import sys; print(sys.version, sys.base_prefix)' && cat "$root/docker/make_venv.sh"; } | sha256sum | cut -d' ' -f1)"
lines="base $base"
missing=()
for name in "${sets[@]}"; do
  line="$name $(sha256sum <"$root/docker/requirements/$name.lock" | cut -d' ' -f1)"
  lines+=$'\n'"$line"
  grep -qsxF "$line" "$stamp" || missing+=("$name")
done
made="$(cat "$stamp" 2>/dev/null || true)"
if [ ! -x "$venv/bin/python" ] || [ "${made:-none}" != "${lines:0:${#made}}" ]; then
  missing=("${sets[@]}") # Without a stamp that fits, an environment counts as unfinished: it is made anew.
elif [ "${#missing[@]}" -eq 0 ]; then
  printf '%s is up to date\n' "$venv"
  exit 0
fi

# pip install, and a line every 15 s: it says nothing for minutes.
install_set() { # name
  local name=$1 started=$SECONDS total
  total="$(grep -cE '^[A-Za-z0-9]' "$root/docker/requirements/$name.lock" || true)"
  printf '%s: installing %s (%d packages)\n' "$venv" "$name" "$total"
  local before
  before="$(packages)"
  while sleep 15 >/dev/null 2>&1 && kill -0 $$; do
    printf '  installing %s: %d of %d packages (%d s)\n' "$name" $(($(packages) - before)) "$total" $((SECONDS - started))
  done &
  ticker=$!
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-compile --no-index --no-deps --require-hashes \
    --find-links "$root/docker/wheelhouse/$name" --requirement "$root/docker/requirements/$name.lock"
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  ticker=""
  printf '%s: %s installed (%d s)\n' "$venv" "$name" $((SECONDS - started))
}

packages() { find "$venv/lib" -mindepth 3 -maxdepth 3 -name '*.dist-info' 2>/dev/null | wc -l; }

started=$SECONDS
extra=()
for name in "${sets[@]:2}"; do extra+=("--extra=$name"); done
"$python" "$root/docker/make_wheelhouse.py" --docker "$root/docker" --directory "$root/docker/wheelhouse" --environment "$venv" "${extra[@]}"
rm -f "$stamp"
if [ "${missing[*]}" = "${sets[*]}" ]; then
  "$python" -m venv --clear "$venv" >/dev/null 2>&1 ||
    die "$python cannot make a virtual environment (ensurepip is missing). Next step: sudo apt-get install -y python3-venv"
fi
for name in "${missing[@]}"; do install_set "$name"; done
# pip would make the bytecode on one core. A template that is no Python ends it with 1. A third of the code is never imported here:
# the packages' own tests, models of others, Ray's libraries. What is imported all the same is compiled then.
unimported='/site-packages/(.*/)?(tests?|transformers/models|ray/(rllib|serve|tune|train|data|llm))/'
"$venv/bin/python" -m compileall -qq -j 0 -x "$unimported" "$venv/lib" || true
"$venv/bin/python" -m pip --disable-pip-version-check check >/dev/null || die "the packages in $venv do not fit each other"
# The program `voice`, from this tree as it stands.
if [ -f "$root/pyproject.toml" ]; then
  "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-index --no-deps --no-build-isolation --editable "$root"
fi
printf '%s\n' "$lines" >"$stamp"
printf '%s is ready (%d s)\n' "$venv" $((SECONDS - started))
