# shellcheck shell=bash
#
# Where the application's containers log: to CloudWatch, a stream for each. `docker container logs` goes on working,
# from Docker's own copy. Sourced, not run, after ending.sh, release.sh and settings.sh.
#
# CloudWatch must never keep a container from starting, or make it wait for its own log: so the driver does not block,
# and does not create its stream. If it did, a creation that does not end would keep the container from ending, in this
# mode (https://github.com/moby/moby/issues/53143). Instead, prepare.sh creates the streams while it pulls the image.
#
# Reads: LOG_GROUP, PROCESSES, RELEASE_COMMAND (lib/settings.sh); AWS_REGION, COMMIT, BUILD_ID (lib/release.sh)

readonly LOGS_SECONDS=30 # for all streams together
readonly LOGS_TRIES=3

# stream PROCESS prints the name of its stream.
stream() { printf '%s' "$1/${COMMIT:0:12}/${BUILD_ID##*:}"; }

# create_streams creates the release's streams, and tells which it could not. It is a process of its own, which takes
# its call along.
create_streams() {
  local process lacking=() reason call='' end=$((SECONDS + LOGS_SECONDS))
  trap 'while kill "$call" 2>/dev/null; do sleep 0.1; done; exit 1' TERM
  for process in ${RELEASE_COMMAND[0]:+release-command} web "${PROCESSES[@]}"; do
    create_stream "$(stream "$process")" || lacking+=("$(stream "$process")")
  done
  ((${#lacking[@]} > 0)) || return 0
  reason="$(tr -s '\n' ' ' <"$WORK/streams")"
  log "warning: CloudWatch's log group $LOG_GROUP lacks ${lacking[*]}: until the next release, only docker container logs has what these containers print: ${reason:-no answer within $LOGS_SECONDS s}"
}

# create_stream NAME creates a stream, unless it is there.
create_stream() {
  local try left
  for ((try = 1; try <= LOGS_TRIES; try++)); do
    ((try == 1)) || sleep 1
    left=$((end - SECONDS))
    ((left > 0)) || break
    timeout --foreground "$left" aws logs create-log-stream --region "$AWS_REGION" --log-group-name "$LOG_GROUP" --log-stream-name "$1" >/dev/null 2>"$WORK/streams" &
    call=$!
    ! wait "$call" || return 0
    [[ "$(<"$WORK/streams")" != *'(ResourceAlreadyExistsException)'* ]] || return 0
  done
  return 1
}
