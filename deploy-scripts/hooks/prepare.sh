#!/bin/bash
#
# BeforeInstall: prepares the host for a release, or says why it cannot: Docker must answer, leftovers of killed runs
# are repaired, the volume for data is mounted, old images are removed, there must be room for the new image (F38), and
# that is pulled. Meanwhile it creates the release's log streams.
#
# Reads: release.env and APP_NAME, see lib/release.sh; settings.env, see lib/settings.sh; EDGE_IMAGE, see lib/edge.sh

set -euo pipefail

# shellcheck source=lib/release.sh
source "${BASH_SOURCE[0]%/*}/lib/release.sh"
# shellcheck source=lib/ending.sh
source "${BASH_SOURCE[0]%/*}/lib/ending.sh"
# shellcheck source=lib/settings.sh
source "${BASH_SOURCE[0]%/*}/lib/settings.sh"
# shellcheck source=lib/containers.sh
source "${BASH_SOURCE[0]%/*}/lib/containers.sh"
# shellcheck source=lib/leftovers.sh
source "${BASH_SOURCE[0]%/*}/lib/leftovers.sh"
# shellcheck source=lib/report.sh
source "${BASH_SOURCE[0]%/*}/lib/report.sh"
# shellcheck source=lib/anonymous.sh
source "${BASH_SOURCE[0]%/*}/lib/anonymous.sh"
# shellcheck source=lib/retire.sh
source "${BASH_SOURCE[0]%/*}/lib/retire.sh"
# shellcheck source=lib/edge.sh
source "${BASH_SOURCE[0]%/*}/lib/edge.sh"
# shellcheck source=lib/logs.sh
source "${BASH_SOURCE[0]%/*}/lib/logs.sh"
# shellcheck source=lib/disk.sh
source "${BASH_SOURCE[0]%/*}/lib/disk.sh"
# shellcheck source=lib/mount.sh
source "${BASH_SOURCE[0]%/*}/lib/mount.sh"
# shellcheck source=lib/volumes.sh
source "${BASH_SOURCE[0]%/*}/lib/volumes.sh"
# shellcheck source=lib/pull.sh
source "${BASH_SOURCE[0]%/*}/lib/pull.sh"

readonly MINIMUM_FREE_MIB=512
readonly CONTAINERD=/var/lib/containerd

# check_disk checks the folder of Docker's images. If that is not on this machine's file system, it checks nothing. The
# images are containerd's where Docker uses its store, the default of new installations from version 29 on (moby,
# daemon/containerd).
check_disk() {
  local folder driver free
  read -r folder driver < <(docker info --format '{{.DockerRootDir}} {{.DriverStatus}}')
  [[ "$driver" != *io.containerd.snapshotter* || ! -d "$CONTAINERD" ]] || folder="$CONTAINERD"
  [[ -d "$folder" ]] || return 0
  free="$(df --block-size=1M --output=avail "$folder" | tail -n 1)"
  ((free >= MINIMUM_FREE_MIB)) || die "$folder has $free MiB free, want $MINIMUM_FREE_MIB: enlarge the volume or remove what is not needed"
}

# tidy reports whether nobody left anything to repair: there are serving containers, workers and a running edge, and
# nothing under another of our names.
tidy() {
  local found name state
  found="$(docker container ls --all --filter "name=^/$APP_NAME-" --format "{{.Names}} {{.State}} {{.Label \"$LABEL_WORKER\"}}")" ||
    die "Docker does not answer: systemctl status docker"
  while read -r name state; do
    [[ -z "$name" || "$name" =~ ^$APP_NAME-[0-9]{1,5}$ || "$name $state" == "$EDGE running" || "$state" == *" $APP_NAME" ]] || return 1
  done <<<"$found"
}

# check_architecture stops a rollback to an image from before a change of the instance type. Docker would pull and start
# it, and only say "exec format error".
check_architecture() {
  local image host
  image="$(docker image inspect --format '{{.Architecture}}' "$IMAGE")"
  host="$(<"$WORK/architecture")"
  [[ "$image" == "$host" ]] || die "the image of commit $COMMIT is for ${image:-another architecture}, but this host is $host: release the commit again to build one for it"
}

main() {
  sweep
  load_release
  load_settings
  begin_login
  create_streams &
  await_docker
  if ! tidy; then
    set_aside "$RETIRED" "$LABEL"
    repair
    repair_edge
  fi
  prepare_volumes
  tell_restarts &
  ensure_network
  prune_images "${IMAGE%@*}"
  check_disk
  pull_images
  check_architecture
  warn_of_volumes
  wait
}

main "$@"
