#!/usr/bin/env bash
# A Docker engine where none answers (CI machines, Debian as root): installs it, starts it in the background, waits for it.
#
#   docker/start_engine.sh          0 when an engine answers
#   docker/start_engine.sh stop     stops the engine that this script started, and only that one
#   docker/start_engine.sh status   says which of the two it is
#
# ENGINE_STATE keeps the process id and the log (default /run/voice-acceptance-engine).
# DOCKERD_ARGUMENTS is passed to dockerd, word by word.
set -euo pipefail

state="${ENGINE_STATE:-/run/voice-acceptance-engine}"
deadline_s=60

die() {
  printf 'start_engine: %s\n' "$*" >&2
  exit 1
}

answers() { command -v docker >/dev/null && timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# A process, told from a later one with the same id by its start time (field 22 of its stat, the second being its name).
identity() { # process id
  local stat fields
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  read -ra fields <<<"${stat##*) }"
  printf '%s %s' "$1" "${fields[19]}"
}

# Whether the engine that this script started is still alive.
ours() {
  [ -s "$state/pid" ] || return 1
  local saved
  saved="$(cat "$state/pid")"
  [ "$(identity "${saved%% *}")" = "$saved" ]
}

install_engine() {
  if command -v dockerd >/dev/null && command -v docker >/dev/null; then return; fi
  [ "$(id -u)" -eq 0 ] || die "no Docker here, and installing it needs root. Next step: sudo apt-get install -y docker.io"
  command -v apt-get >/dev/null || die "no Docker here, and no apt-get to install it with"
  printf 'installing docker.io ...\n'
  local log
  log="$(mktemp)"
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends docker.io docker-cli iptables ||
    DEBIAN_FRONTEND=noninteractive apt-get install -y docker.io; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "docker.io could not be installed (the last lines are above)"
  fi
  rm -f "$log"
}

start() {
  if answers; then
    printf 'a Docker engine answers already (%s)\n' "$(docker version --format '{{.Server.Version}}')"
    return
  fi
  install_engine
  if answers; then # the package may have started its service
    printf 'the Docker engine of the package answers (%s)\n' "$(docker version --format '{{.Server.Version}}')"
    return
  fi
  [ "$(id -u)" -eq 0 ] || die "starting dockerd needs root. Next step: sudo docker/start_engine.sh"
  mkdir -p "$state"
  if ! ours; then
    # shellcheck disable=SC2086  # words are meant to split
    setsid dockerd ${DOCKERD_ARGUMENTS:-} >"$state/dockerd.log" 2>&1 </dev/null &
    identity $! >"$state/pid" || die "dockerd did not start; its log: $state/dockerd.log"
  fi
  local waited=0
  until answers; do
    ours || { tail -n 20 "$state/dockerd.log" >&2; die "dockerd ended (its last lines are above)"; }
    [ "$waited" -lt "$deadline_s" ] || { tail -n 20 "$state/dockerd.log" >&2; stop; die "dockerd did not answer in $deadline_s s"; }
    sleep 1
    waited=$((waited + 1))
  done
  printf 'started a Docker engine (%s) after %d s; log: %s\n' \
    "$(docker version --format '{{.Server.Version}}')" "$waited" "$state/dockerd.log"
}

stop() {
  if ! ours; then
    printf 'no engine of this script runs\n'
    return
  fi
  local pid waited=0
  pid="$(cut -d' ' -f1 "$state/pid")"
  kill -TERM "$pid"
  while ours; do
    if [ "$waited" -ge 300 ]; then
      kill -KILL "$pid"
      break
    fi
    sleep 0.1
    waited=$((waited + 1))
  done
  rm -f "$state/pid"
  printf 'stopped the Docker engine that this script started\n'
}

status() {
  if ours; then
    printf 'an engine of this script runs (process %s)\n' "$(cut -d' ' -f1 "$state/pid")"
  elif answers; then
    printf 'an engine answers that this script did not start\n'
  else
    printf 'no engine answers\n'
    return 1
  fi
}

case "${1:-start}" in
  start | stop | status) "${1:-start}" ;;
  *) die "unknown command $1 (usage: docker/start_engine.sh [start|stop|status])" ;;
esac
