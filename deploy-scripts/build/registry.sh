#!/bin/bash
#
# The build's dealings with ECR, where a commit's image has the commit id as its tag and tags are immutable.
#
#   registry.sh find    looks for it
#   registry.sh login   gets the login for a push
#   registry.sh push    pushes the image that image.sh built
#
# When the image is in ECR, release.env is written, which tells the hooks what to run.
#
# Reads: the environment that environment.sh lists, CODEBUILD_BUILD_SUCCEEDING

set -euo pipefail

# shellcheck source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

readonly TAGGED_IMAGE="$REPOSITORY_URL:$COMMIT_ID"
readonly LOGIN="$SCRIPTS/login" # lasts 12 hours, longer than CodeBuild lets a build run

# image_digest prints the digest of the commit's image, nothing when there is none. Everything but a clear "not found" is an
# error. What tells the two apart is the service's error code, which the AWS CLI prints in parentheses.
image_digest() {
  local answer
  if answer="$(aws ecr describe-images --region "$AWS_REGION" --repository-name "${REPOSITORY_URL#*/}" \
    --image-ids "imageTag=$COMMIT_ID" --query 'imageDetails[0].imageDigest' --output text 2>&1)"; then
    [[ "$answer" =~ sha256:[0-9a-f]{64} ]] || die "ECR gave no digest for tag $COMMIT_ID: $answer"
    printf '%s\n' "${BASH_REMATCH[0]}"
  elif [[ "$answer" != *'(ImageNotFoundException)'* ]]; then
    die "tag $COMMIT_ID cannot be looked up in ECR: $answer"
  fi
}

write_release() {
  printf '%s\n' "IMAGE=$REPOSITORY_URL@$1" "COMMIT=$COMMIT_ID" "REGISTRY=${REPOSITORY_URL%%/*}" "AWS_REGION=$AWS_REGION" \
    "CONTAINER_PORT=$CONTAINER_PORT" "HEALTH_PATH=$HEALTH_PATH" >"$RELEASE"
  log "commit $COMMIT_ID is $REPOSITORY_URL@$1"
}

find_image() {
  rm -f "$RELEASE"
  local digest
  digest="$(image_digest)"
  [[ -z "$digest" ]] || write_release "$digest"
}

get_login() {
  umask 077
  local reason
  reason="$(aws ecr get-login-password --region "$AWS_REGION" 2>&1 >"$LOGIN")" || die "no login to ${REPOSITORY_URL%%/*}: ${reason//$'\n'/ }"
}

push_image() {
  DOCKER_CONFIG="$(mktemp -d)"
  export DOCKER_CONFIG
  trap 'rm -rf "$DOCKER_CONFIG" "$LOGIN"' EXIT # the login ends with this script
  # CodeBuild runs post_build after a failed build too. Without a word here, the reason remains the last line.
  if in_registry || [[ "${CODEBUILD_BUILD_SUCCEEDING:-1}" != 1 ]]; then
    return
  fi
  docker login --username AWS --password-stdin "${REPOSITORY_URL%%/*}" <"$LOGIN" || die "no login to ${REPOSITORY_URL%%/*}"
  local digest
  if docker push "$TAGGED_IMAGE"; then
    digest="$(docker image inspect --format '{{join .RepoDigests "\n"}}' "$TAGGED_IMAGE" | grep -F "$REPOSITORY_URL@")" || digest=''
    digest="${digest##*@}"
  else
    digest="$(image_digest)" # another build of the same commit may have been first
  fi
  [[ -n "$digest" ]] || die "$TAGGED_IMAGE is not in ECR, see above"
  write_release "$digest"
}

case "${1:-}" in
  find) find_image ;;
  login) get_login ;;
  push) push_image ;;
  *) die "usage: registry.sh find|login|push" ;;
esac
