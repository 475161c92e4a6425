# shellcheck shell=bash
#
# The stack's volumes: Docker volumes, each a folder of the data volume. Sourced, not run, after containers.sh, mount.sh
# and settings.sh.
#
# Docker mounts a folder when a container starts. If the data volume is not mounted, the folder is not there, and so the
# container does not start, instead of writing to the host's own disk (docker volume create, "Driver-specific options").
#
# Reads: VOLUMES (lib/settings.sh); IMAGE (lib/release.sh)

# shellcheck source=declared.sh
source "${BASH_SOURCE[0]%/*}/declared.sh"

readonly LABEL_FOLDER=com.cicd.folder # of a Docker volume: where its data is

# prepare_volumes mounts the data volume and makes the Docker volumes. What it cannot mount ends the hook, and nothing
# has been changed.
prepare_volumes() {
  local volume
  ((${#VOLUMES[@]} > 0)) || return 0
  mount_data
  for volume in "${VOLUMES[@]}"; do
    ensure_volume "$(volume_name "${volume%%=*}")" "$DATA_FOLDER/${volume%%=*}"
  done
  warn_if_full
}

# ensure_volume NAME FOLDER makes a Docker volume. A folder whose name is no longer in use stays, with its data.
ensure_volume() {
  local found
  mkdir -p "$2"
  found="$(docker volume ls --quiet --filter "name=^$1\$")" || die "Docker does not answer: systemctl status docker"
  if [[ -z "$found" ]]; then
    docker volume create --driver local --opt type=none --opt o=bind --opt "device=$2" --label "$LABEL_FOLDER=$2" "$1" >/dev/null
  elif [[ "$(docker volume inspect --format "{{index .Labels \"$LABEL_FOLDER\"}}" "$1")" != "$2" ]]; then
    die "Docker has a volume $1 that no release made, and the stack's volume needs its name: see what is in it, and remove it (docker volume rm $1)"
  fi
}

# warn_of_volumes logs what of the image's data will not last.
warn_of_volumes() {
  local path
  while read -r path; do
    log "$(tell_unnamed "$path")"
  done < <(unnamed_volumes "$IMAGE" "${VOLUMES[@]#*=}")
}
