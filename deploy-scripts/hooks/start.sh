#!/bin/bash
#
# ApplicationStart: replaces the running release by the one in hand without losing a request.
#
# The new container starts beside the old one. When it is healthy it takes over the name that the edge looks up. The old one
# keeps the connections it has, and is asked to stop only when the edge sends it no more. Until then any failure leaves
# the old release serving and nothing of the new one behind.
#
# Reads: release.env and APP_NAME, see lib/release.sh; HEALTH_SECONDS, see lib/candidate.sh; EDGE_IMAGE, EDGE_PORT, see lib/edge.sh

set -euo pipefail

# shellcheck source=lib/release.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/release.sh"
# shellcheck source=lib/ending.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/ending.sh"
# shellcheck source=lib/http.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/http.sh"
# shellcheck source=lib/containers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/containers.sh"
# shellcheck source=lib/candidate.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/candidate.sh"
# shellcheck source=lib/caddyfile.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/caddyfile.sh"
# shellcheck source=lib/edge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/edge.sh"
# shellcheck source=lib/serving.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/serving.sh"

readonly DRAIN_SECONDS=0.5 # for requests that looked the name up before the edge did so again

AT_END=undo
FREE_NAME='' # the serving name, if the candidate takes that before the switch because no other container has it

# undo leaves the old release serving and nothing of the new one behind, when the script ends before the switch is done. A new one
# that the edge may have been sent to already stays until the next release: so there is a container under either name.
undo() {
  [[ -n "$CANDIDATE" ]] || return 0
  await_docker
  put_back
  repair_edge
  if [[ -z "$FREE_NAME" ]] || ! edge_changed; then
    uncut docker container rm --force --volumes "$CANDIDATE" ${FREE_NAME:+"$FREE_NAME"} >/dev/null 2>&1
  fi
}

# take_free_name is for the first release and for one on another port: no other container has its serving name, and it is
# there before the edge looks it up.
take_free_name() {
  local serving
  serving="$(serving_name)"
  ! exists "$serving" || return 0
  FREE_NAME="$serving"
  uncut docker container rename "$CANDIDATE" "$FREE_NAME"
}

# outlive_reboots is for a container that has proved healthy: until then an exit is a failure.
outlive_reboots() { docker container update --restart unless-stopped "${FREE_NAME:-$CANDIDATE}" >/dev/null; }

# switch gives the serving name to the candidate. Between the two renames the name is unknown, and the edge lets requests
# wait. No connection is cut, and none is opened to a container that is about to go: that could not be tried again
# for a request with a body, which the first try has used up. Whatever ends the script in between, undo puts the old container
# back; after SIGKILL the next prepare.sh does, which CodeDeploy's rollback begins with.
switch() {
  local serving
  serving="$(serving_name)"
  if [[ -z "$FREE_NAME" ]]; then
    uncut docker container rename "$serving" "$RETIRED"
    uncut docker container rename "$CANDIDATE" "$serving" ||
      die "commit $COMMIT did not get the name $serving, see above: the old release goes on"
  fi
  CANDIDATE=''
}

main() {
  local restarts
  load_release
  start_candidate
  await_health
  take_free_name
  outlive_reboots & # beside the edge, for neither needs the other
  restarts=$!
  ensure_edge
  wait "$restarts"
  switch
  await_edge
  (($(app_containers | wc -l) == 1)) || sleep "$DRAIN_SECONDS"
  retire_all_but "^$(serving_name)\$"
  prune_images "${IMAGE%@*}"
  log "commit $COMMIT serves"
}

main "$@"
