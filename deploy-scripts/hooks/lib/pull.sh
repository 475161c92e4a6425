# shellcheck shell=bash
#
# Pulling a release's images. Sourced, not run, after release.sh and ending.sh.

readonly PULL_SECONDS=300 # for all tries together, from the start of the script
readonly PULL_TRIES=4     # a short outage of the registry is no reason to fail
readonly RETRY_SECONDS=3

export DOCKER_CONFIG="$WORK/docker" # in the work folder, so that the login to ECR, valid for 12 hours (F20), goes with it

LOGIN='' # the running process that requests one

# seconds_left prints how much of PULL_SECONDS is left, at least 1.
seconds_left() {
  local left=$((PULL_SECONDS - SECONDS))
  printf '%d' "$((left > 1 ? left : 1))"
}

# begin_login requests a login from ECR as the host's role, while the script does other things before it pulls.
begin_login() {
  timeout --foreground "$(seconds_left)" aws ecr get-login-password --region "$AWS_REGION" >"$WORK/password" 2>"$WORK/refusal" &
  LOGIN=$!
}

log_in() {
  [[ -n "$LOGIN" ]] || begin_login
  local process="$LOGIN" status=0
  LOGIN=''
  wait "$process" || status=$?
  if ((status != 0)); then
    cat "$WORK/refusal" >&2
    return "$status"
  fi
  timeout --foreground "$(seconds_left)" docker login --username AWS --password-stdin "$REGISTRY" <"$WORK/password"
}

# pull pulls the edge's image, unless it is here, and the release's.
pull() {
  { docker image inspect "$EDGE_IMAGE" || timeout --foreground "$(seconds_left)" docker image pull --quiet "$EDGE_IMAGE"; } &&
    log_in && timeout --foreground "$(seconds_left)" docker image pull --quiet "$IMAGE"
}

pull_images() {
  local try=1 status reason
  while true; do
    status=0
    pull >/dev/null 2>"$WORK/reason" || status=$?
    ((status != 0)) || return 0
    reason="$(<"$WORK/reason")"
    ((status != 124)) || reason="it took longer than $PULL_SECONDS s" # the exit code of timeout(1)
    ((try < PULL_TRIES && SECONDS + RETRY_SECONDS < PULL_SECONDS)) || die "the image $IMAGE cannot be pulled: ${reason//$'\n'/ }: release again once that is fixed"
    log "try $try of $PULL_TRIES: ${reason##*$'\n'}"
    try=$((try + 1))
    sleep "$RETRY_SECONDS"
  done
}
