#!/bin/bash
#
# BeforeInstall: brings the host into a state that a release can start from, or says why it cannot: Docker answers, what a killed
# run left is mended, old images are gone, there is room for the new one (F38), and that is pulled.
#
# Reads: release.env and APP_NAME, see lib/release.sh; EDGE_IMAGE, see lib/edge.sh

set -euo pipefail

# shellcheck source=lib/release.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/release.sh"
# shellcheck source=lib/ending.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/ending.sh"
# shellcheck source=lib/containers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/containers.sh"
# shellcheck source=lib/edge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/edge.sh"
# shellcheck source=lib/pull.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/pull.sh"

readonly MINIMUM_FREE_MIB=512

# check_disk looks at Docker's own folder. Where that is not on this machine's file system there is nothing to look at.
check_disk() {
  local folder free
  folder="$(docker info --format '{{.DockerRootDir}}')"
  [[ -d "$folder" ]] || return 0
  free="$(df --block-size=1M --output=avail "$folder" | tail -n 1)"
  ((free >= MINIMUM_FREE_MIB)) || die "$folder has $free MiB free, want $MINIMUM_FREE_MIB: enlarge the volume or remove what is not needed"
}

# check_architecture stops a rollback to an image from before a change of the instance type. Docker pulls and starts it, and the
# message of that is "exec format error".
check_architecture() {
  local image host
  image="$(docker image inspect --format '{{.Architecture}}' "$IMAGE")"
  host="$(docker version --format '{{.Server.Arch}}')"
  [[ "$image" == "$host" ]] || die "the image of commit $COMMIT is for $image, and this host is $host: release the commit again, which builds one"
}

main() {
  sweep
  load_release
  begin_login
  await_docker
  repair
  repair_edge
  ensure_network
  prune_images "${IMAGE%@*}"
  check_disk
  pull_images
  check_architecture
}

main "$@"
