#!/bin/bash
#
# ValidateService: checks that this release, and no other, answers on the host's port. Several consecutive answers must
# have status 200 and, as the edge reports, come from this release's container. Neither that nor a worker may have ended
# since it was started. With a domain, it also tells if visitors cannot come over HTTPS.
#
# Reads: release.env and APP_NAME, see lib/release.sh; settings.env, see lib/settings.sh

set -euo pipefail

# shellcheck source=lib/release.sh
source "${BASH_SOURCE[0]%/*}/lib/release.sh"
# shellcheck source=lib/ending.sh
source "${BASH_SOURCE[0]%/*}/lib/ending.sh"
# shellcheck source=lib/settings.sh
source "${BASH_SOURCE[0]%/*}/lib/settings.sh"
# shellcheck source=lib/http.sh
source "${BASH_SOURCE[0]%/*}/lib/http.sh"
# shellcheck source=lib/json.sh
source "${BASH_SOURCE[0]%/*}/lib/json.sh"
# shellcheck source=lib/containers.sh
source "${BASH_SOURCE[0]%/*}/lib/containers.sh"
# shellcheck source=lib/report.sh
source "${BASH_SOURCE[0]%/*}/lib/report.sh"
# shellcheck source=lib/serving.sh
source "${BASH_SOURCE[0]%/*}/lib/serving.sh"
# shellcheck source=lib/certificate.sh
source "${BASH_SOURCE[0]%/*}/lib/certificate.sh"

readonly VALIDATE_SECONDS=30
readonly RIGHT_IN_A_ROW=5
readonly STEADY_SECONDS=10 # how long a worker must run, from the beginning of this hook

# check_workers ends the hook if a process has no worker of this release, or one that has ended.
check_workers() {
  local process found name state restarts
  for process in "${PROCESSES[@]}"; do
    found="$(worker_of "$process")" || die "Docker does not answer: systemctl status docker"
    read -r name state <<<"$found"
    [[ -n "$name" ]] || die "the process $process of commit $COMMIT has no worker: hooks/start.sh starts it"
    restarts="$(restarts_of "$name")"
    [[ -z "$restarts" ]] || die "$restarts"
    [[ "$state" == running ]] || die "$(about "$name") is $state; its last output: $(last_output "$name")"
  done
}

# await_steady_workers watches the workers in their first seconds.
await_steady_workers() {
  ((${#PROCESSES[@]} > 0)) || return 0
  until check_workers && ((SECONDS >= STEADY_SECONDS)); do
    sleep 0.5
  done
}

main() {
  load_release
  load_settings
  await_docker # it may be restarting
  local want address restarts answer='' right=0 deadline=$((SECONDS + VALIDATE_SECONDS))
  check_switched
  want="200 $(upstream)"
  address="$(edge_address)"
  while ((right < RIGHT_IN_A_ROW)); do
    answer="$(http_get "${address%:*}" "${address##*:}" "$HEALTH_PATH")"
    if [[ "$answer" == "$want" ]]; then
      right=$((right + 1))
      continue
    fi
    right=0
    ((SECONDS < deadline)) || die "$address$HEALTH_PATH answers '$answer' (status and container), want '$want' $RIGHT_IN_A_ROW times in a row"
    sleep 0.2
    want="200 $(upstream)"
  done
  restarts="$(restarts_of "$(serving_name)")"
  [[ -z "$restarts" ]] || die "$restarts"
  await_steady_workers
  await_certificate
  log "commit $COMMIT answers on $address"
}

main "$@"
