#!/usr/bin/env bash
# Entry of the training job, in the image and in the process runtime: sets the environment, runs `python -m trainer run`, passes its
# lines on, and prints the train report on every exit path. How the job ended is judged by `python -m trainer.job.ending`.
#
# No `set -e`: a failing command must never end this script before its report.
# shellcheck disable=SC2317  # the functions that the traps call look unreachable
set -u

exit_code=20       # until the job has run, whatever ends this script is a runtime failure
cause=unclassified # why nothing was judged
notes=""           # directory for the job's FAILURE lines
stage=before       # before | starting | running | after the job, as the traps see it
child=""           # process id of the job once it runs
asked=""           # the signal that asked for an end, if one did
python=""          # the interpreter, once it is found
marker_log="$(dirname -- "${TRAIN_STATUS_PATH:-/nonexistent/status}")/phase_markers.log"

report() {
  trap '' TERM INT HUP PIPE
  local text="" judged
  if [ "$stage" != before ]; then
    text="$("$python" -m trainer.job.ending "$exit_code" ${notes:+"$notes/failure"} </dev/null)"
    judged=$?
  fi
  [ -n "$notes" ] && rm -rf -- "$notes"
  case "$text" in
    *"=== END DOCKER TRAIN REPORT ===") exit_code=$judged ;;
    *)
      # The runtime is broken, unless the job itself said how it ended or died of a signal.
      case "$exit_code" in 0 | 10 | 30) ;; *) [ "$exit_code" -gt 128 ] || exit_code=20 ;; esac
      text="$(unjudged)"
      ;;
  esac
  printf '%s\n' "$text"
  exit "$exit_code"
}

# The report if Python cannot be asked.
unjudged() {
  local step=import
  [ "$stage" = before ] || step=unknown
  printf '%s\n' \
    "=== DOCKER TRAIN REPORT ===" \
    "objective_status: blocked" \
    "first_failed_step: $step" \
    "cause: $cause" \
    "exit_code: $exit_code" \
    "=== END DOCKER TRAIN REPORT ==="
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

exit_code=$code_of_job
exit "$exit_code"
