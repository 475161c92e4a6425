#!/bin/bash
#
# Pushes the image and completes the bundle: puts in what the hooks read, and extends their timeouts by what the stack's
# settings let the application take. Then it removes what the build's scripts have left to each other.
#
# Reads: the environment that environment.sh lists, CODEBUILD_BUILD_SUCCEEDING

set -euo pipefail

# shellcheck source=environment.sh
source "${BASH_SOURCE[0]%/*}/environment.sh"

readonly COMMAND_SECONDS=920 # what a release command may take: see hooks/lib/release_command.sh
readonly VOLUME_SECONDS=90   # what a volume may take to appear, and to get its file system: see hooks/lib/disk.sh

discard() { rm -rf "$BUILD"; }

# extend_timeouts adds to the timeouts in appspec.yml. The sum is within CodeDeploy's limit of 3600 s for an event (User
# Guide, "AppSpec 'hooks' section").
extend_timeouts() {
  local health stop command=0 volume=0
  health="$(sed -n 's/^HEALTH_SECONDS=//p' "$STACK_SETTINGS")"
  stop="$(sed -n 's/^STOP_SECONDS=//p' "$STACK_SETTINGS")"
  ! grep -q '^RELEASE_COMMAND=' "$STACK_SETTINGS" || command="$COMMAND_SECONDS"
  ! grep -q '^VOLUME_ID=' "$STACK_SETTINGS" || volume="$VOLUME_SECONDS"
  awk -v prepare="$((stop + volume))" -v start="$((health + stop + command))" '
    / hooks\/prepare\.sh$/ { more = prepare }
    / hooks\/start\.sh$/ { more = start }
    more && /^ *timeout: [0-9]+$/ { sub(/[0-9]+/, $2 + more); more = 0; extended++ }
    { print }
    END { exit extended != 2 }' "$SCRIPTS/appspec.yml" >"$WORK/appspec.yml" ||
    die "appspec.yml: want hooks/prepare.sh and hooks/start.sh once each, with a line 'timeout: SECONDS' after the location"
  cp "$WORK/appspec.yml" "$SCRIPTS/appspec.yml"
}

main() {
  AT_END=discard
  # CodeBuild runs post_build after a failed build too. Without output from here, the reason remains the last line.
  [[ "${CODEBUILD_BUILD_SUCCEEDING:-1}" == 1 ]] || return 0
  bash "$SCRIPTS/build/registry.sh" push & # in the background, so that SIGTERM ends it too
  wait "$!" || exit 1                      # it has told why
  extend_timeouts
  cp "$RELEASE" "$STACK_SETTINGS" "$SCRIPTS/"
}

main "$@"
