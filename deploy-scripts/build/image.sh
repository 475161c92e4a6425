#!/bin/bash
#
# Tests the application and builds its image. If webapp/ has a Makefile, with `make test` and `make image IMAGE=...`, as far
# as these targets exist; otherwise with `docker build`, so that a Dockerfile is enough. An image that ECR already has is
# reused, so a commit can be built again (F19): ECR is asked during the tests, which stop if it has the image.
#
# Reads: the environment that environment.sh lists, and whatever the Makefile does

set -euo pipefail

# shellcheck source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# An image without attestations is one manifest in ECR with any Docker, not an index of several that each count.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

readonly WEBAPP="${SCRIPTS%/*}/webapp"
TAGGED_IMAGE="$(tagged_image)"
readonly TAGGED_IMAGE

# has_target reports whether webapp/ has a Makefile with a rule for a target. A phony target without prerequisites and
# recipe has none: make does nothing for it, and succeeds. An unreadable Makefile is an error: taken for "no rule", it would
# skip the tests.
has_target() {
  [[ -e "$WEBAPP/Makefile" ]] || return 1
  local rules status=0
  rules="$(LC_ALL=C make -C "$WEBAPP" --eval='cicd-probe:;' --print-data-base --question cicd-probe)" || status=$?
  ((status < 2)) || die "make cannot read webapp/Makefile"
  awk -v RS= -v target="$1" '
    /\n#  Phony target/ && $0 ~ "(^|\n)" target ":\n" && !/\n#  (recipe|commands) to execute/ { next }
    $0 ~ "(^|\n)" target " *::?( |\n|$)" { found = 1 }
    END { exit !found }' <<<"$rules"
}

# begin_tests starts the application's tests, if there are any, and sets TESTS to their process.
begin_tests() {
  TESTS=''
  if has_target test; then
    make -C "$WEBAPP" test &
    TESTS=$!
  else
    note "webapp/ has no Makefile with a target 'test': nothing is tested"
  fi
}

stop_tests() {
  [[ -n "$TESTS" ]] || return 0
  kill "$TESTS" 2>/dev/null || true # may have ended
  wait "$TESTS" || true
}

# warn_of_docker_hub notes the images from Docker Hub, which refuses anonymous pulls from addresses that many share, such as
# CodeBuild's (F16).
warn_of_docker_hub() {
  local images image remedy
  images="$(awk -f "$SCRIPTS/build/dockerfile.awk" -f "$SCRIPTS/build/docker-hub.awk" "$WEBAPP/Dockerfile")" ||
    die "awk cannot read webapp/Dockerfile"
  for image in $images; do
    case "${image#library/}" in
      docker/dockerfile*) remedy="omit the line '# syntax=', unless Docker's own frontend is too old" ;;
      */*) remedy="copy it to a repository of yours in ECR" ;;
      *) remedy="write public.ecr.aws/docker/library/${image#library/}" ;;
    esac
    note "warning: $image comes from Docker Hub, which may refuse CodeBuild: $remedy (F16)"
  done
}

# build_image builds the image, and meanwhile requests a login to push it with.
build_image() {
  [[ -e "$WEBAPP/Dockerfile" ]] || die "webapp/Dockerfile does not exist in commit $COMMIT_ID: an application needs one"
  warn_of_docker_hub
  local login
  bash "$SCRIPTS/build/registry.sh" login 2>"$WORK/login.log" &
  login=$!
  if has_target image; then
    make -C "$WEBAPP" image IMAGE="$TAGGED_IMAGE" || die "the image of commit $COMMIT_ID was not built: make image failed"
  else
    docker build --tag "$TAGGED_IMAGE" "$WEBAPP" || die "the image of commit $COMMIT_ID was not built: docker build failed"
  fi
  docker image inspect "$TAGGED_IMAGE" >/dev/null || die "webapp/Makefile's target 'image' did not tag an image as \$(IMAGE)"
  wait "$login" || die "$(<"$WORK/login.log")"
}

main() {
  local lookup
  : >"$NOTES"
  bash "$SCRIPTS/build/registry.sh" find 2>"$WORK/lookup.log" &
  lookup=$!
  begin_tests
  if wait "$lookup" && ! in_registry; then
    [[ -z "$TESTS" ]] || wait "$TESTS" || die "the tests of commit $COMMIT_ID failed: nothing is released"
    build_image
    return
  fi
  stop_tests
  in_registry || die "$(<"$WORK/lookup.log")"
  log "ECR has the image already, so it is not built: $(<"$WORK/lookup.log")"
}

main "$@"
