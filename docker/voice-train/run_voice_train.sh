#!/usr/bin/env bash
# Entry of the training job, in the image and in the process runtime: sets the environment, runs `python -m trainer run`,
# translates how it ended into the contract's exit codes, and prints the train report on every exit path.
#
#   0 done   10 data   20 runtime (import, model, weights)   30 training   128+n the job died of signal n
#
# No `set -e`: a failing command must never end this script before its report.
# shellcheck disable=SC2317  # the functions that the traps call look unreachable
set -u

exit_code=20       # until the job has run, whatever ends this script is a runtime failure
cause=unclassified # refined by what the job says
notes=""           # directory for the job's FAILURE line
stage=before       # before | starting | running | after the job, as the traps see it
child=""           # process id of the job once it runs
asked=""           # the signal that asked for an end, if one did

marker_log="$(dirname -- "${TRAIN_STATUS_PATH:-/nonexistent/status}")/phase_markers.log"

# The last marker that this run wrote; markers of another run's log do not count.
last_marker() {
  local first line marker=none
  if [ -f "$marker_log" ] && [ ! -L "$marker_log" ]; then
    IFS= read -r first <"$marker_log" || true
    if [ "$first" = "run_id ${RUN_ID:-}" ]; then
      while IFS= read -r line; do
        case "$line" in import_ok | model_ok | data_ok | train_started | saved) marker=$line ;; esac
      done <"$marker_log"
    fi
  fi
  printf '%s' "$marker"
}

# 0, 10, 20, 30 and deaths by signal pass; any other code is of the stage that the markers show.
translated() { # code marker
  case "$1" in
    0 | 10 | 20 | 30) printf '%s' "$1" ;;
    *)
      if [ "$1" -gt 128 ] && [ "$1" -le 192 ]; then
        printf '%s' "$1"
      else
        case "$2" in train_started | saved) printf 30 ;; *) printf 20 ;; esac
      fi
      ;;
  esac
}

failed_step() { # code marker
  if [ "$1" -eq 10 ]; then
    printf data
    return
  fi
  case "$2" in
    none) printf import ;;
    import_ok) printf model ;;
    model_ok) printf data ;;
    data_ok | train_started) printf train ;;
    saved) printf save ;;
  esac
}

# The slug of the job's last FAILURE line, or nothing.
reported_cause() {
  local line slug
  [ -n "$notes" ] && [ -s "$notes/failure" ] || return 0
  line="$(tail -n 1 -- "$notes/failure")"
  slug="${line#FAILURE cause=}"
  slug="${slug%% *}"
  case "$slug" in *[!a-z0-9_]* | "") ;; *) printf '%s' "$slug" ;; esac
}

# A path of the job if it is a plain file, else N/A.
existing() {
  if [ -n "$1" ] && [ -f "$1" ] && [ ! -L "$1" ]; then printf '%s' "$1"; else printf 'N/A'; fi
}

report() {
  trap '' TERM INT HUP PIPE
  local marker step status=blocked found sum=N/A checkpoint
  marker="$(last_marker)"
  step="$(failed_step "$exit_code" "$marker")"
  if [ "$exit_code" -eq 0 ] && [ "$marker" = saved ]; then
    status=success step=none cause=none
  else
    found="$(reported_cause)"
    cause="${found:-$cause}"
  fi
  checkpoint="$(existing "${CHECKPOINT_PATH:-}")"
  if [ "$checkpoint" != N/A ]; then
    sum="$(sha256sum <"$checkpoint" 2>/dev/null)"
    sum="${sum%% *}"
  fi
  [ -n "$notes" ] && rm -rf -- "$notes"
  printf '%s\n' \
    "=== DOCKER TRAIN REPORT ===" \
    "objective_status: $status" \
    "first_failed_step: $step" \
    "cause: $cause" \
    "exit_code: $exit_code" \
    "last_marker: $marker" \
    "manifest_path: $(existing "${MANIFEST_PATH:-}")" \
    "train_status_path: $(existing "${TRAIN_STATUS_PATH:-}")" \
    "checkpoint_path: $checkpoint" \
    "checkpoint_sha256: ${sum:-N/A}" \
    "=== END DOCKER TRAIN REPORT ==="
  exit "$exit_code"
}

# A job in the background ignores INT, so every request to end reaches it as TERM; its own exit code then counts.
end_job() { # signal's number
  asked=$1
  case "$stage" in
    before)
      cause=interrupted exit_code=$((128 + $1))
      exit "$exit_code"
      ;;
    running) kill -TERM "$child" 2>/dev/null ;;
  esac
}

trap report EXIT
trap 'end_job 15' TERM
trap 'end_job 2' INT
trap 'end_job 1' HUP

fail() { # cause message
  cause=$1
  printf 'FAILURE cause=%s message=%s\n' "$1" "$2"
  exit_code=20
  exit 20
}

# The code lies beside this script in the image, two directories up in a checkout.
here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)"
code="$here"
[ -d "$code/trainer" ] || code="$(cd -- "$here/../.." && pwd -P)"
[ -d "$code/trainer" ] || fail missing_module "no trainer package beside $here or two directories up"

python="${VOICE_PYTHON:-/opt/venv/bin/python}"
command -v -- "$python" >/dev/null 2>&1 || fail missing_module "no Python at $python"

# The package comes from the project, never from a directory of the same name in the workspace.
export PYTHONPATH="$code" PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1
export PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 PYTHONUTF8=1
export LC_ALL=C.UTF-8 TZ=UTC

# Large tensors: keep freed memory instead of mapping and unmapping it in every step (5-10 times faster on virtual machines).
export MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=16000000000 MALLOC_ARENA_MAX=1

# One thread count for every library; cuBLAS needs a fixed workspace to be deterministic.
case "${NUM_THREADS:-}" in
  "" | *[!0-9]*) ;; # the trainer refuses what is not a number
  *) export OMP_NUM_THREADS="$NUM_THREADS" MKL_NUM_THREADS="$NUM_THREADS" OPENBLAS_NUM_THREADS="$NUM_THREADS" ;;
esac
export CUBLAS_WORKSPACE_CONFIG=:4096:8

# Threads that wait sleep: spinning ones take the processor from the threads that they wait for.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

# An unknown user on a read-only root has no home: caches go to the scratch directory.
scratch="${TMPDIR:-/tmp}"
if [ -z "${HOME:-}" ] || [ ! -w "$HOME" ]; then export HOME="$scratch"; fi
export USER="${USER:-voice}" LOGNAME="${LOGNAME:-voice}" XDG_CACHE_HOME="$scratch" MPLCONFIGDIR="$scratch"

# The job's output passes through line by line; its FAILURE lines are kept for the report.
notes="$(mktemp -d "$scratch/voice-train.XXXXXX" 2>/dev/null)" || notes=""
filter=""
if [ -n "$notes" ]; then
  exec 3> >(trap '' TERM INT HUP && LC_ALL=C exec stdbuf -oL sed -e "/^FAILURE cause=/w $notes/failure")
  filter=$!
else
  exec 3>&1
fi

# A try that ends before its first marker must not be judged by the markers of the try before.
rm -f -- "$marker_log" 2>/dev/null

stage=starting
"$python" -m trainer run "$@" >&3 3>&- </dev/null &
child=$!
stage=running
exec 3>&-
[ -n "$asked" ] && kill -TERM "$child" 2>/dev/null

# A trapped signal ends `wait` early: wait again. 127: the job was collected before, and that code holds.
code_of_job=""
while :; do
  asked=""
  wait "$child"
  waited=$?
  [ "$waited" -eq 127 ] && [ -n "$code_of_job" ] && break
  code_of_job=$waited
  [ -z "$asked" ] && break
done
stage=after

# Everything the job printed comes before the report; a process that it left behind must not hold the report back.
if [ -n "$filter" ]; then
  for _ in $(seq 30); do
    kill -0 "$filter" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$filter" 2>/dev/null
  wait "$filter" 2>/dev/null
fi

exit_code="$(translated "$code_of_job" "$(last_marker)")"
exit "$exit_code"
