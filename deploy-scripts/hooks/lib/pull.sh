# shellcheck shell=bash
#
# Getting the images of a release. Sourced, not run, after release.sh.

readonly PULL_SECONDS=300 # for all tries together
readonly PULL_TRIES=4     # a registry that is away for a moment is no reason to fail
readonly RETRY_SECONDS=3

WORK="$(mktemp -d)" # the login to ECR, which lasts 12 hours (F20), ends with the script
readonly WORK
export DOCKER_CONFIG="$WORK/docker"

LOGIN='' # the process that asks for one, while it does
trap '[[ -z "$LOGIN" ]] || kill "$LOGIN" 2>/dev/null; rm -rf "$WORK"' EXIT

# begin_login asks ECR for a login as the host's role, beside whatever the script does until it pulls.
begin_login() {
  timeout --foreground "$PULL_SECONDS" aws ecr get-login-password --region "$AWS_REGION" >"$WORK/password" 2>"$WORK/refusal" &
  LOGIN=$!
}

log_in() {
  [[ -n "$LOGIN" ]] || begin_login
  local process="$LOGIN"
  LOGIN=''
  wait "$process" || { cat "$WORK/refusal" >&2 && return 1; }
  timeout --foreground "$1" docker login --username AWS --password-stdin "$REGISTRY" <"$WORK/password"
}

# pull SECONDS gets the edge's image when it is not here, and that of the release.
pull() {
  { docker image inspect "$EDGE_IMAGE" || timeout --foreground "$1" docker image pull --quiet "$EDGE_IMAGE"; } &&
    log_in "$1" &&
    timeout --foreground "$1" docker image pull --quiet "$IMAGE"
}

pull_images() {
  local deadline=$((SECONDS + PULL_SECONDS)) try=1 reason
  until pull "$((deadline - SECONDS))" >/dev/null 2>"$WORK/reason"; do
    reason="$(<"$WORK/reason")"
    ((try < PULL_TRIES && SECONDS + RETRY_SECONDS < deadline)) || die "the image $IMAGE cannot be pulled: ${reason//$'\n'/ }: release again when that is mended"
    log "try $try of $PULL_TRIES: ${reason##*$'\n'}"
    try=$((try + 1))
    sleep "$RETRY_SECONDS"
  done
}
