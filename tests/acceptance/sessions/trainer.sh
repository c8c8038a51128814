#!/bin/sh
# A job that trains nothing: it delivers the prepared artifacts in $KIT, or fails in the way $TINY_MODE asks for.
out=$(dirname "$TRAIN_STATUS_PATH")
mkdir -p "$out" "$(dirname "$CHECKPOINT_PATH")" "$KNOWLEDGE_AUDIO_DIR"
printf 'run_id %s\nimport_ok\nmodel_ok\ndata_ok\ntrain_started\n' "$RUN_ID" >"$out/phase_markers.log"
echo import_ok
sleep "${TINY_DELAY:-0}"
echo PROGRESS 10 100 loss=2.5
case "${TINY_MODE:-ok}" in
  hang)
    echo half-written >"$CHECKPOINT_PATH"
    echo $$ >"$out/job.pid"
    trap 'exit 143' TERM
    while :; do sleep 0.1; done
    ;;
  slow_to_end)
    echo half-written >"$CHECKPOINT_PATH"
    trap 'sleep 2.5; exit 143' TERM
    echo $$ >"$out/job.pid"
    while :; do sleep 0.1; done
    ;;
  fail)
    echo half-written >"$CHECKPOINT_PATH"
    exit 30
    ;;
esac
for step in 40 70 100; do
  sleep "${TINY_PAUSE:-0}"
  echo "PROGRESS $step 100 loss=1.2500"
done
cp "$KIT/clip_1.wav" "$KIT/clip_2.wav" "$KNOWLEDGE_AUDIO_DIR"
cp "$KIT/manifest.json" "$MANIFEST_PATH"
cp "$KIT/voice.pt" "$CHECKPOINT_PATH"
sed -e "s/RUN_ID/$RUN_ID/" -e "s/NOW/$(date -u +%Y-%m-%dT%H:%M:%SZ)/" "$KIT/status.json" >"$TRAIN_STATUS_PATH"
echo saved >>"$out/phase_markers.log"
printf '%s\n' '=== DOCKER TRAIN REPORT ===' 'objective_status: success' 'first_failed_step: none' '=== END DOCKER TRAIN REPORT ==='
exit "${TINY_EXIT:-0}"
