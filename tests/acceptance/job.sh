# A job that keeps the container contract, in plain shell: it "trains" by copying the artifacts of the kit in $KIT, usually the folder job/.
# A test replaces one function and calls `go`. Runs under busybox sh in a container and under sh on the host.
set -u
job="${KIT:-$VOICE_WORKSPACE/job}"
log="$(dirname "$TRAIN_STATUS_PATH")/phase_markers.log"

marker() {
  echo "$1" >>"$log"
  echo "$1"
}

report() { # objective_status first_failed_step
  printf '%s\n' '=== DOCKER TRAIN REPORT ===' "objective_status: $1" "first_failed_step: $2" '=== END DOCKER TRAIN REPORT ==='
}

fail() { # exit code, cause, message
  echo "FAILURE cause=$2 message=$3"
  report blocked train
  exit "$1"
}

# Written beside its place and renamed into it, as the contract asks.
install_file() { # source target
  cp "$1" "$2.new" && mv "$2.new" "$2"
}

start() {
  echo "run_id $RUN_ID" >"$log"
  marker import_ok
  marker model_ok
}

put_manifest() {
  cp -R "$job/dataset/." "$(dirname "$MANIFEST_PATH")/"
  install_file "$job/manifest.json" "$MANIFEST_PATH"
  marker data_ok
}

train() {
  marker train_started
  echo 'PROGRESS 1 1 loss=1.000000'
}

put_checkpoint() { install_file "$job/checkpoint.pt" "$CHECKPOINT_PATH"; }

put_status() {
  sed -e "s/@RUN_ID@/$RUN_ID/" -e "s/@NOW@/$(date -u +%Y-%m-%dT%H:%M:%SZ)/" "$job/status.json" >"$TRAIN_STATUS_PATH.new" && mv "$TRAIN_STATUS_PATH.new" "$TRAIN_STATUS_PATH"
  marker saved
}

go() {
  start
  put_manifest
  train
  put_checkpoint
  put_status
  report success none
}
