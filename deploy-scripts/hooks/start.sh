#!/bin/bash
#
# ApplicationStart: replaces the running release by this one without losing a request.
#
# First come the secrets' values and the release command: if one of them cannot be had, nothing has been touched. Then
# the new container starts beside the old one. Once healthy, it takes over the name that the edge looks up. The old one
# keeps its connections, and is asked to stop only when the edge no longer sends it requests. Until then, any failure
# leaves the old release serving and removes everything of the new one. The workers are replaced last.
#
# Reads: release.env, APP_NAME (lib/release.sh); settings.env, HEALTH_SECONDS (lib/settings.sh); EDGE_IMAGE, EDGE_PORT
# (lib/edge.sh)

set -euo pipefail

# shellcheck source=lib/release.sh
source "${BASH_SOURCE[0]%/*}/lib/release.sh"
# shellcheck source=lib/ending.sh
source "${BASH_SOURCE[0]%/*}/lib/ending.sh"
# shellcheck source=lib/settings.sh
source "${BASH_SOURCE[0]%/*}/lib/settings.sh"
# shellcheck source=lib/answers.sh
source "${BASH_SOURCE[0]%/*}/lib/answers.sh"
# shellcheck source=lib/fetch.sh
source "${BASH_SOURCE[0]%/*}/lib/fetch.sh"
# shellcheck source=lib/json.sh
source "${BASH_SOURCE[0]%/*}/lib/json.sh"
# shellcheck source=lib/secrets.sh
source "${BASH_SOURCE[0]%/*}/lib/secrets.sh"
# shellcheck source=lib/record.sh
source "${BASH_SOURCE[0]%/*}/lib/record.sh"
# shellcheck source=lib/http.sh
source "${BASH_SOURCE[0]%/*}/lib/http.sh"
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
# shellcheck source=lib/logs.sh
source "${BASH_SOURCE[0]%/*}/lib/logs.sh"
# shellcheck source=lib/run.sh
source "${BASH_SOURCE[0]%/*}/lib/run.sh"
# shellcheck source=lib/release_command.sh
source "${BASH_SOURCE[0]%/*}/lib/release_command.sh"
# shellcheck source=lib/candidate.sh
source "${BASH_SOURCE[0]%/*}/lib/candidate.sh"
# shellcheck source=lib/advice.sh
source "${BASH_SOURCE[0]%/*}/lib/advice.sh"
# shellcheck source=lib/switch.sh
source "${BASH_SOURCE[0]%/*}/lib/switch.sh"
# shellcheck source=lib/caddyfile.sh
source "${BASH_SOURCE[0]%/*}/lib/caddyfile.sh"
# shellcheck source=lib/edge.sh
source "${BASH_SOURCE[0]%/*}/lib/edge.sh"
# shellcheck source=lib/serving.sh
source "${BASH_SOURCE[0]%/*}/lib/serving.sh"
# shellcheck source=lib/processes.sh
source "${BASH_SOURCE[0]%/*}/lib/processes.sh"

readonly DRAIN_SECONDS=0.5 # for requests that looked the name up before the edge did so again

AT_END=undo

main() {
  local looked restarts
  load_release
  load_settings
  fetch_secrets
  ! command_is_due || run_release_command
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
  start_workers
  begin_record
  retire_others "$(serving_name)" "${WORKERS[@]}"
  (set_aside "$RETIRED" "$LABEL" "$(serving_name)") || true # left to the next release
  prune_images "${IMAGE%@*}"
  end_record
  log "commit $COMMIT serves"
}

main "$@"
