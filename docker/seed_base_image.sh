#!/usr/bin/env bash
# Make a local base image for docker/voice-train/Dockerfile from Debian packages, where no registry can be reached:
# bookworm with Python 3.11, its venv module and libsndfile.
#
#   docker/seed_base_image.sh [--force] [TAG]      default tag: voice-base:bookworm
#
# DEBIAN_MIRROR names another mirror than debootstrap's own (an http:// or file:// address).
set -euo pipefail

packages=python3,python3-venv,libsndfile1
# One fixed time on every file, so that the same packages give the same layer.
epoch=1577836800

die() {
  printf 'seed_base_image: %s\n' "$*" >&2
  exit 1
}

force=0
tag=voice-base:bookworm
for argument in "$@"; do
  case "$argument" in
    --force) force=1 ;;
    -*) die "unknown option $argument (usage: docker/seed_base_image.sh [--force] [TAG])" ;;
    *) tag=$argument ;;
  esac
done

command -v docker >/dev/null || die "no docker command. Next step: sudo apt-get install -y docker.io"
docker info >/dev/null 2>&1 || die "the Docker engine does not answer. Next step: sudo docker/start_engine.sh"
if [ "$force" -eq 0 ] && docker image inspect "$tag" >/dev/null 2>&1; then
  printf '%s exists (%s), nothing to do; --force makes it anew\n' "$tag" "$(docker image inspect -f '{{.Id}}' "$tag")"
  exit 0
fi
[ "$(id -u)" -eq 0 ] || die "debootstrap needs root. Next step: sudo docker/seed_base_image.sh $*"
command -v debootstrap >/dev/null || die "no debootstrap command. Next step: sudo apt-get install -y debootstrap"

scratch="$(mktemp -d "${TMPDIR:-/tmp}/seed-base-image.XXXXXX")"
cleanup() {
  local status=$?
  trap '' TERM INT HUP
  # debootstrap leaves these mounted when it is interrupted; deleting through them would reach the host's.
  local place
  for place in proc sys dev/pts dev; do
    if mountpoint -q "$scratch/root/$place"; then umount "$scratch/root/$place" || exit "$status"; fi
  done
  rm -rf --one-file-system "$scratch"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

started=$SECONDS
printf 'making %s (about a minute and a half) ...\n' "$tag"
# In the background, so that a signal is answered at once.
debootstrap --variant=minbase "--include=$packages" bookworm "$scratch/root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
  >"$scratch/debootstrap.log" 2>&1 &
debootstrap=$!
trap 'kill -TERM "$debootstrap" 2>/dev/null; wait "$debootstrap"; exit 143' TERM
trap 'kill -TERM "$debootstrap" 2>/dev/null; wait "$debootstrap"; exit 130' INT
if ! wait "$debootstrap"; then
  tail -n 20 "$scratch/debootstrap.log" >&2
  die "debootstrap failed (its last lines are above). Next step: set DEBIAN_MIRROR to a mirror that this machine reaches"
fi

# What differs from run to run, and what a container never reads: pages for people, messages in other languages. Licences stay.
rm -rf "$scratch"/root/var/cache/apt/* "$scratch"/root/var/lib/apt/lists/* "$scratch"/root/var/log/* \
  "$scratch"/root/var/cache/ldconfig/aux-cache "$scratch"/root/debootstrap
: >"$scratch/root/etc/machine-id"
rm -f "$scratch"/root/etc/resolv.conf "$scratch"/root/etc/hostname
rm -rf "$scratch"/root/usr/share/{info,locale,man}
find "$scratch/root/usr/share/doc" -type f ! -name copyright -delete
find "$scratch/root" -name '__pycache__' -type d -prune -exec rm -rf {} +

id="$(tar --directory "$scratch/root" --sort=name "--mtime=@$epoch" --numeric-owner --one-file-system --create . |
  docker import --change 'CMD ["bash"]' --message "$packages on Debian bookworm" - "$tag")"
docker run --rm --network none "$tag" python3 -c 'import sys; assert sys.version_info[:2] == (3, 11), sys.version' ||
  die "$tag does not run Python 3.11"
printf '%s is %s (%d s, layer %s)\n' "$tag" "$id" $((SECONDS - started)) \
  "$(docker image inspect -f '{{index .RootFS.Layers 0}}' "$tag")"
