#!/bin/bash
#
# The build's access to ECR, where a commit's image has an immutable tag.
#
#   registry.sh find    looks for it
#   registry.sh login   gets the login for a push
#   registry.sh push    pushes the image that image.sh built
#
# Once the image is in ECR, the script writes release.env, which tells the hooks what to run.
#
# Reads: the environment that environment.sh lists

set -euo pipefail

# shellcheck source=environment.sh
source "${BASH_SOURCE[0]%/*}/environment.sh"

TAGGED_IMAGE="$(tagged_image)"
readonly TAGGED_IMAGE

DIGEST='' # of the commit's image in ECR, when there is one

# AWS calls run in the background so that SIGTERM ends them too: bash waits for foreground commands.

# look_up sets DIGEST. Everything but a clear "not found" is an error. The service's error code, which the AWS CLI
# prints in parentheses, distinguishes the two.
look_up() {
  local answer found=true
  aws ecr describe-images --region "$AWS_REGION" --repository-name "${REPOSITORY_URL#*/}" --image-ids "imageTag=$TAG" \
    --query 'imageDetails[0].imageDigest' --output text >"$WORK/answer" 2>&1 &
  wait "$!" || found=false
  answer="$(<"$WORK/answer")"
  if [[ "$found" == true ]]; then
    [[ "$answer" =~ sha256:[0-9a-f]{64} ]] || die "ECR gave no digest for tag $TAG: $answer"
    DIGEST="${BASH_REMATCH[0]}"
  elif [[ "$answer" != *'(ImageNotFoundException)'* ]]; then
    die "tag $TAG cannot be looked up in ECR: $answer"
  fi
}

write_release() {
  printf '%s\n' "IMAGE=$REPOSITORY_URL@$1" "COMMIT=$COMMIT_ID" "REGISTRY=${REPOSITORY_URL%%/*}" "AWS_REGION=$AWS_REGION" \
    "CONTAINER_PORT=$CONTAINER_PORT" "HEALTH_PATH=$HEALTH_PATH" "HEALTH_HOST=$HEALTH_HOST" \
    "BUILD_ID=$CODEBUILD_BUILD_ID" >"$RELEASE"
  log "commit $COMMIT_ID is $REPOSITORY_URL@$1"
}

find_image() {
  look_up
  [[ -z "$DIGEST" ]] || write_release "$DIGEST"
}

get_login() {
  umask 077
  aws ecr get-login-password --region "$AWS_REGION" >"$(login_file)" 2>"$WORK/refusal" &
  wait "$!" || die "no login to ${REPOSITORY_URL%%/*}: $(tr '\n' ' ' <"$WORK/refusal")"
}

push_image() {
  ! in_registry || return 0
  export DOCKER_CONFIG="$WORK/docker" # where docker login writes it: removed with this script
  docker login --username AWS --password-stdin "${REPOSITORY_URL%%/*}" <"$(login_file)" || die "no login to ${REPOSITORY_URL%%/*}"
  # The digest is the one that docker push names last. With containerd's image store, the image here may be an index of
  # which only one manifest is pushed (moby, daemon/containerd/image_push.go).
  if docker push "$TAGGED_IMAGE" | tee "$WORK/pushed" && [[ "$(<"$WORK/pushed")" =~ "$TAG: digest: "(sha256:[0-9a-f]{64}) ]]; then
    DIGEST="${BASH_REMATCH[1]}"
  else
    look_up # another build of the same commit may have been first
  fi
  [[ -n "$DIGEST" ]] || die "$TAGGED_IMAGE is not in ECR, see above"
  write_release "$DIGEST"
}

case "${1:-}" in
  find) find_image ;;
  login) get_login ;;
  push) push_image ;;
  *) die "usage: registry.sh find|login|push" ;;
esac
