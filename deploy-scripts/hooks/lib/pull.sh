# shellcheck shell=bash
#
# Getting the images of a release. Sourced, not run, after release.sh and ending.sh.

readonly PULL_SECONDS=300 # for all tries together, from the beginning of the script
readonly PULL_TRIES=4     # a registry that is away for a moment is no reason to fail
readonly RETRY_SECONDS=3

export DOCKER_CONFIG="$WORK/docker" # the login to ECR, which lasts 12 hours (F20), ends with the script

LOGIN='' # the process that asks for one, while it does

# seconds_left prints what is left of PULL_SECONDS since the script began, one at least.
seconds_left() {
  local left=$((PULL_SECONDS - SECONDS))
  printf '%d' "$((left > 1 ? left : 1))"
}

# begin_login asks ECR for a login as the host's role, beside whatever the script does until it pulls.
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

# pull gets the edge's image when it is not here, and that of the release.
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
    ((status != 124)) || reason="it took longer than $PULL_SECONDS s" # says timeout(1)
    ((try < PULL_TRIES && SECONDS + RETRY_SECONDS < PULL_SECONDS)) || die "the image $IMAGE cannot be pulled: ${reason//$'\n'/ }: release again when that is mended"
    log "try $try of $PULL_TRIES: ${reason##*$'\n'}"
    try=$((try + 1))
    sleep "$RETRY_SECONDS"
  done
}
