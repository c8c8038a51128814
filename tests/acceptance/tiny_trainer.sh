#!/bin/sh
# The job of the sessions: it delivers the kit, or fails in the way $TINY_MODE asks for.
. "$(dirname "$0")/job.sh"
out=$(dirname "$TRAIN_STATUS_PATH")
mkdir -p "$out" "$(dirname "$CHECKPOINT_PATH")" "$(dirname "$MANIFEST_PATH")"

train() {
  marker train_started
  sleep "${TINY_DELAY:-0}"
  echo PROGRESS 10 100 loss=2.5
  [ "${TINY_MODE:-ok}" = ok ] || echo half-written >"$CHECKPOINT_PATH"
  case "${TINY_MODE:-ok}" in
    hang)
      echo $$ >"$out/job.pid"
      trap 'exit 143' TERM
      while :; do sleep 0.1; done
      ;;
    slow_to_end)
      trap 'sleep 2.5; exit 143' TERM
      echo $$ >"$out/job.pid"
      while :; do sleep 0.1; done
      ;;
    fail) exit 30 ;;
  esac
  for step in 40 70 100; do
    sleep "${TINY_PAUSE:-0}"
    echo "PROGRESS $step 100 loss=1.2500"
  done
}

go
exit "${TINY_EXIT:-0}"
