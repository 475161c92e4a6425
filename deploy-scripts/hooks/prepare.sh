#!/bin/bash
#
# BeforeInstall: prepares the host for a release, or says why it cannot: Docker must answer, leftovers of killed runs are
# repaired, old images are removed, there must be room for the new image (F38), and that is pulled.
#
# Reads: release.env and APP_NAME, see lib/release.sh; EDGE_IMAGE, see lib/edge.sh

set -euo pipefail

# shellcheck source=lib/release.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/release.sh"
# shellcheck source=lib/ending.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/ending.sh"
# shellcheck source=lib/containers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/containers.sh"
# shellcheck source=lib/leftovers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/leftovers.sh"
# shellcheck source=lib/edge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/edge.sh"
# shellcheck source=lib/pull.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/pull.sh"

readonly MINIMUM_FREE_MIB=512
readonly CONTAINERD=/var/lib/containerd

# check_disk checks the folder of Docker's images. If that is not on this machine's file system, it checks nothing. The images
# are containerd's where Docker uses its store, the default of new installations from version 29 on (moby, daemon/containerd).
check_disk() {
  local folder driver free
  read -r folder driver < <(docker info --format '{{.DockerRootDir}} {{.DriverStatus}}')
  [[ "$driver" != *io.containerd.snapshotter* || ! -d "$CONTAINERD" ]] || folder="$CONTAINERD"
  [[ -d "$folder" ]] || return 0
  free="$(df --block-size=1M --output=avail "$folder" | tail -n 1)"
  ((free >= MINIMUM_FREE_MIB)) || die "$folder has $free MiB free, want $MINIMUM_FREE_MIB: enlarge the volume or remove what is not needed"
}

# tidy reports whether nobody left anything to repair: there are serving containers and a running edge, and none under another
# of our names.
tidy() {
  local found name state
  found="$(docker container ls --all --filter "name=^/$APP_NAME-" --format '{{.Names}} {{.State}}')" || die "Docker does not answer: systemctl status docker"
  while read -r name state; do
    [[ -z "$name" || "$name" =~ ^$APP_NAME-[0-9]{1,5}$ || "$name $state" == "$EDGE running" ]] || return 1
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

# tell_restarts reports what has happened to the serving container since its own release succeeded.
tell_restarts() {
  local name restarts
  while read -r name _; do
    restarts="$(restarts_of "$name")"
    [[ -z "$restarts" ]] || log "warning: $restarts"
  done < <(app_containers)
}

main() {
  sweep
  load_release
  begin_login
  await_docker
  if ! tidy; then
    set_aside "$RETIRED" "$LABEL"
    repair
    repair_edge
  fi
  tell_restarts &
  ensure_network
  prune_images "${IMAGE%@*}"
  check_disk
  pull_images
  check_architecture
  wait
}

main "$@"
