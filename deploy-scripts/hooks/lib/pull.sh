# shellcheck shell=bash
#
# Getting the images of a release. Sourced, not run, after release.sh.

readonly PULL_SECONDS=300 # for all tries together
readonly PULL_TRIES=4     # a registry that is away for a moment is no reason to fail
readonly RETRY_SECONDS=3

# pull SECONDS gets the image, and the edge's when it is not here, as the host's role.
pull() {
  timeout --foreground "$1" aws ecr get-login-password --region "$AWS_REGION" |
    timeout --foreground "$1" docker login --username AWS --password-stdin "$REGISTRY" &&
    timeout --foreground "$1" docker image pull --quiet "$IMAGE" &&
    { docker image inspect "$EDGE_IMAGE" || timeout --foreground "$1" docker image pull --quiet "$EDGE_IMAGE"; }
}

pull_images() {
  local deadline=$((SECONDS + PULL_SECONDS)) try=1 reason
  until reason="$(pull "$((deadline - SECONDS))" 2>&1 >/dev/null)"; do
    ((try < PULL_TRIES && SECONDS + RETRY_SECONDS < deadline)) || die "the image $IMAGE cannot be pulled: ${reason//$'\n'/ }: release again when that is mended"
    log "try $try of $PULL_TRIES: ${reason##*$'\n'}"
    try=$((try + 1))
    sleep "$RETRY_SECONDS"
  done
}
