#!/bin/bash
#
# Tests the application and builds its image. If it has a Makefile, with `make test` and `make image IMAGE=...`, as far
# as these targets exist; otherwise with `docker build`, so that a Dockerfile is enough. Settings that no Makefile
# knows, such as buildArgs, need `docker build` too. An image that ECR already has is reused, so a commit can be built
# again (F19): ECR is asked during the tests, which stop if it has the image. The stack's settings are fetched at the
# same time. With scripts from the stack, there are no tests, and `docker build` alone builds.
#
# Reads: the environment that environment.sh and docker.sh list, and whatever the Makefile does

set -euo pipefail

# shellcheck source=environment.sh
source "${BASH_SOURCE[0]%/*}/environment.sh"
# shellcheck source=application.sh
source "${BASH_SOURCE[0]%/*}/application.sh"
# shellcheck source=docker.sh
source "${BASH_SOURCE[0]%/*}/docker.sh"

# An image without attestations is one manifest in ECR with any Docker, not an index of several that each count.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# Otherwise buildx runs git in the application's folder (docker/buildx, build/git.go). The commit comes without its
# repository, so what git took for one would be files of the commit, with a configuration that can name programs to run.
export BUILDX_GIT_INFO=false

TAGGED_IMAGE="$(tagged_image)"
readonly TAGGED_IMAGE

# build_image builds the image, and meanwhile requests a login to push it with.
build_image() {
  [[ -d "$APP" ]] || die "commit $COMMIT_ID has no folder $APP_PATH: appPath says where the application is"
  [[ -f "$APP/$DOCKERFILE" ]] ||
    die "$PLACE$DOCKERFILE does not exist in commit $COMMIT_ID: an application needs one; appPath and dockerfile say where"
  warn_of_docker_hub
  local login needs
  bash "$SCRIPTS/build/registry.sh" login 2>"$WORK/login.log" &
  login=$!
  needs="$(needs_docker_build)"
  if [[ -z "$needs" ]] && has_target image; then
    make -C "$APP" image IMAGE="$TAGGED_IMAGE" || die "the image of commit $COMMIT_ID was not built: make image failed"
  else
    [[ -z "$needs" ]] || ! has_target image ||
      note "${PLACE}Makefile's target 'image' is not made, but docker build run, for these settings: ${needs//$'\n'/, }"
    wait "$login" || die "$(<"$WORK/login.log")"
    login=''
    docker_build "$TAGGED_IMAGE" || die "the image of commit $COMMIT_ID was not built: docker build failed"
  fi
  docker image inspect "$TAGGED_IMAGE" >/dev/null || die "${PLACE}Makefile's target 'image' did not tag an image as \$(IMAGE)"
  warn_of_volumes "$TAGGED_IMAGE"
  [[ -z "$login" ]] || wait "$login" || die "$(<"$WORK/login.log")"
}

main() {
  local lookup settings
  AT_END=end_cache
  mkdir -m 700 "$BUILD" # for the login to ECR, too
  : >"$NOTES"
  bash "$SCRIPTS/build/registry.sh" find 2>"$WORK/lookup.log" &
  lookup=$!
  bash "$SCRIPTS/build/settings.sh" 2>"$WORK/settings.log" &
  settings=$!
  begin_tests
  if ! wait "$settings"; then
    stop_tests
    die "$(<"$WORK/settings.log")"
  fi
  if wait "$lookup" && ! in_registry; then
    [[ -z "$TESTS" ]] || wait "$TESTS" || die "the tests of commit $COMMIT_ID failed: nothing is released"
    build_image
  else
    stop_tests
    in_registry || die "$(<"$WORK/lookup.log")"
    log "ECR has the image already, so it is not built: $(<"$WORK/lookup.log")"
  fi
  cp "$NOTES" "$SCRIPTS/notes.txt"
}

main "$@"
