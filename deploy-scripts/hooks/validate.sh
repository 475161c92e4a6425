#!/bin/bash
#
# ValidateService: checks that this release, and no other, answers on the host's port. Several consecutive answers must have
# status 200 and, as the edge reports, come from this release's container, which must not have ended since it began to serve.
#
# Reads: release.env and APP_NAME, see lib/release.sh

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
# shellcheck source=lib/serving.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib/serving.sh"

readonly VALIDATE_SECONDS=30
readonly RIGHT_IN_A_ROW=5

main() {
  load_release
  await_docker # it may be restarting
  local want address restarts answer='' right=0 deadline=$((SECONDS + VALIDATE_SECONDS))
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
  done
  restarts="$(restarts_of "$(serving_name)")"
  [[ -z "$restarts" ]] || die "$restarts"
  log "commit $COMMIT answers on $address"
}

main "$@"
