# shellcheck shell=bash
#
# Containers and images whose time is over. Sourced, not run, after settings.sh, containers.sh, report.sh and
# anonymous.sh.

# retire NAME... stops containers, all at the same time, and removes them. An error does not fail the release: the next
# one removes the rest.
retire() {
  local begun=$SECONDS volumes
  (($# > 0)) || return 0
  read -ra volumes < <(volumes_of "$@") || true # it is one line without an end
  docker container stop -t "$STOP_SECONDS" "$@" >/dev/null || log "not stopped: $*"
  ((SECONDS - begun < STOP_SECONDS)) || tell_killed "$@"
  docker container rm --force "$@" >/dev/null || log "not removed: $*"
  discard_volumes "${volumes[@]}"
}

# retire_others NAME... retires all of the application's containers but these.
retire_others() {
  local name others=()
  while read -r _ name; do
    [[ " $* " == *" $name "* ]] || others+=("$name")
  done < <(ours)
  retire "${others[@]}"
}

# repair repairs what a killed run left: half a switch, candidates, a container that was being retired, a release
# command. Of workers there may be too many; they are left to start.sh, which replaces them all.
repair() {
  local kind name over=()
  put_back
  while read -r kind name; do
    [[ "$kind" == worker || "$kind $name" =~ ^web\ $APP_NAME-[0-9]{1,5}$ ]] || over+=("$name")
  done < <(ours)
  retire "${over[@]}"
}

# prune_images removes a repository's images that neither run here nor ran just before (F38). Docker keeps images that
# are in use. Without --all, newer versions of the CLI do not list images that were pulled by digest; the filter
# "reference" of Docker's first versions with containerd's image store does not find them.
prune_images() {
  local image keep
  keep="$(app_containers)" || return 0 # without Docker, leave it to the next release
  keep=" ${keep//$'\n'/ } "
  while read -r image; do
    [[ "$keep" == *" $image "* ]] || docker image rm "$image" >/dev/null 2>&1 || log "image kept, it is in use: $image"
  done < <(docker image ls --all --digests --format '{{.Repository}}@{{.Digest}}' | grep -F "$1@sha256:" | sort -u)
}
