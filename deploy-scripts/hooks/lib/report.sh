# shellcheck shell=bash
#
# What is to be told of containers: how they ended, and what they said last. Sourced, not run, after containers.sh.

# about NAME prints what a container is, for a sentence.
about() {
  local commit process command what=container
  IFS='|' read -r commit process command < <(docker container inspect --format "{{index .Config.Labels \"$LABEL_COMMIT\"}}|{{index .Config.Labels \"$LABEL_PROCESS\"}}|{{index .Config.Labels \"$LABEL_COMMAND\"}}" "$1") || true
  [[ -z "$process" ]] || what="process $process"
  [[ -z "$command" ]] || what='release command'
  printf 'the %s of commit %s' "$what" "$commit"
}

# last_output NAME logs the last lines that a container has printed, and prints the very last one.
last_output() {
  local lines
  lines="$(docker container logs --tail 10 "$1" 2>&1 | cut -c 1-150)" || true
  log "the container's last output:"
  printf '%s\n' "${lines:-(nothing)}" >&2
  printf '%s' "${lines##*$'\n'}"
}

# tell_killed NAME... reports those of the stopped containers that did not end by themselves: 137 is 128 + SIGKILL.
tell_killed() {
  local name status
  while read -r name status; do
    ((status != 137)) || log "warning: $(about "$name") had not ended $STOP_SECONDS s after SIGTERM and was killed, with what it still had to do: its first process must act on SIGTERM or pass it on (write CMD as a list; in a script, exec); its last output: $(last_output "$name")"
  done < <(docker container inspect --format '{{.Name}} {{.State.ExitCode}}' "$@")
}

# restarts_of NAME prints how often a container has ended and been started again since its release, if it has, and what
# it said last.
restarts_of() {
  local count
  count="$(docker container inspect --format '{{.RestartCount}}' "$1")" || return 0
  ((count == 0)) || printf '%s' "$(about "$1") has ended $count times since its release, and was started again: docker container logs $1; its last output: $(last_output "$1")"
}

# tell_restarts reports what has happened to the serving container and to the workers since their own release succeeded.
tell_restarts() {
  local name restarts
  while read -r _ name; do
    restarts="$(restarts_of "$name")"
    [[ -z "$restarts" ]] || log "warning: $restarts"
  done < <(ours)
}
