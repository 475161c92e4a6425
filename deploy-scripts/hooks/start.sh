#!/bin/bash
#
# ApplicationStart: replaces the running release by this one without losing a request.
#
# The new container starts beside the old one. Once healthy, it takes over the name that the edge looks up. The old one
# keeps its connections, and is asked to stop only when the edge no longer sends it requests. Until then, any failure
# leaves the old release serving and removes everything of the new one.
#
# Reads: release.env, APP_NAME (lib/release.sh); HEALTH_SECONDS (lib/candidate.sh); EDGE_IMAGE, EDGE_PORT (lib/edge.sh)

set -euo pipefail

# shellcheck source=lib/release.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/release.sh"
# shellcheck source=lib/ending.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/ending.sh"
# shellcheck source=lib/http.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/http.sh"
# shellcheck source=lib/containers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/containers.sh"
# shellcheck source=lib/leftovers.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/leftovers.sh"
# shellcheck source=lib/candidate.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/candidate.sh"
# shellcheck source=lib/advice.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/advice.sh"
# shellcheck source=lib/caddyfile.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/caddyfile.sh"
# shellcheck source=lib/edge.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/edge.sh"
# shellcheck source=lib/serving.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/serving.sh"

readonly DRAIN_SECONDS=0.5 # for requests that looked the name up before the edge did so again

AT_END=undo
FREE_NAME='' # the serving name, if the candidate takes that before the switch because no other container has it

# undo keeps the old release serving and removes the new one, unless the edge may already use it: then it stays until the
# next release, so there is a container under either name.
undo() {
  [[ -n "$CANDIDATE" ]] || return 0
  await_docker
  put_back
  repair_edge
  if [[ -z "$FREE_NAME" ]] || ! edge_changed; then
    uncut docker container rm --force --volumes "$CANDIDATE" ${FREE_NAME:+"$FREE_NAME"} >/dev/null 2>&1
  fi
}

# take_free_name is for the first release and one on another port: nobody has its serving name, so it can take that at once.
take_free_name() {
  local serving
  serving="$(serving_name)"
  ! exists "$serving" || return 0
  FREE_NAME="$serving"
  uncut docker container rename "$CANDIDATE" "$FREE_NAME"
}

# outlive_reboots sets the restart policy of a container that is healthy: before that, an exit is a failure.
outlive_reboots() { docker container update --restart unless-stopped "${FREE_NAME:-$CANDIDATE}" >/dev/null; }

# switch gives the serving name to the candidate. Between the two renames the name is unknown, and the edge makes requests
# wait. No connection is cut, and none is opened to a container that is about to go: a request with a body could not be
# retried, because the first try consumes the body. Whatever ends the script in between, undo restores the old container;
# after SIGKILL the next prepare.sh does, and CodeDeploy's rollback begins with that.
switch() {
  local serving
  serving="$(serving_name)"
  if [[ -z "$FREE_NAME" ]]; then
    uncut docker container rename "$serving" "$RETIRED"
    uncut docker container rename "$CANDIDATE" "$serving" ||
      die "commit $COMMIT did not get the name $serving, see above: the old release keeps serving"
  fi
  CANDIDATE=''
}

main() {
  local looked restarts
  load_release
  start_candidate
  look_at_edge &
  looked=$!
  await_health
  wait "$looked"
  take_free_name
  outlive_reboots & # at the same time as the edge: neither needs the other
  restarts=$!
  ensure_edge
  wait "$restarts"
  switch
  await_edge
  (($(app_containers | wc -l) == 1)) || sleep "$DRAIN_SECONDS"
  retire_all_but "^$(serving_name)\$"
  (set_aside "$RETIRED" "$LABEL" "$(serving_name)") || true # left to the next release
  prune_images "${IMAGE%@*}"
  log "commit $COMMIT serves"
}

main "$@"
