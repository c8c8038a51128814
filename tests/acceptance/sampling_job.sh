#!/bin/sh
# A job that offers what it spoke: it copies $SAMPLES to samples/ beside the status, and prints $SAID before it fails if $TINY_MODE asks for it.
. "$(dirname "$0")/job.sh"
out=$(dirname "$TRAIN_STATUS_PATH")
mkdir -p "$out" "$(dirname "$CHECKPOINT_PATH")" "$(dirname "$MANIFEST_PATH")"

train() {
  marker train_started
  [ -z "${SAMPLES:-}" ] || { rm -rf "$out/samples" && cp -R "$SAMPLES" "$out/samples"; }
  printf 'step,steps_total,stage,training_loss,held_out_loss,seconds\n0,2,,,2.0,0.0\n1,2,,1.5,,0.1\n2,2,,1.0,1.2,0.2\n' >"$out/training_log.csv"
  [ "${TINY_MODE:-ok}" = ok ] || {
    cat "$SAID"
    fail 30 out_of_memory "it failed"
  }
  echo 'PROGRESS 2 2 loss=1.000000'
}

go
