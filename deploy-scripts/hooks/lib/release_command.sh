# shellcheck shell=bash
#
# The release command, such as a migration: once for each build, in a container of the new image, before anything else
# of the release. Sourced, not run, after run.sh and report.sh.
#
# Reads: RELEASE_COMMAND (lib/settings.sh); BUILD_ID (lib/release.sh)

readonly RELEASE_COMMAND_SECONDS=900
readonly COMMAND_STOP_SECONDS=10 # to end after SIGTERM

COMMAND='' # its container, as long as there is one

# command_is_due reports whether there is a command to run. If the serving container is of the same build, as in a
# rollback to the release that goes on, the command has succeeded before.
command_is_due() {
  local serving
  ((${#RELEASE_COMMAND[@]} > 0)) || return 1
  read -r serving _ < <(app_containers) || return 0
  [[ "$(build_of "$serving")" != "$BUILD_ID" ]]
}

# run_release_command runs the command. Unless it succeeds, it ends the hook.
run_release_command() {
  COMMAND="$(container_of release-command)"
  log "the release command of commit $COMMIT runs"
  run_application "$COMMAND" release-command --label "$LABEL_COMMAND=$APP_NAME" -- "${RELEASE_COMMAND[@]}" ||
    die "the release command of commit $COMMIT does not start: $(reason)"
  await_command
  discard_command
}

# await_command waits until the command has succeeded, or ends the hook.
await_command() {
  local state deadline=$((SECONDS + RELEASE_COMMAND_SECONDS))
  while ((SECONDS < deadline)); do
    timeout --foreground "$((deadline - SECONDS))" docker container wait "$COMMAND" >/dev/null 2>&1 &
    wait "$!" || true # time may be up, or Docker be restarting
    await_docker
    state="$(docker container inspect --format '{{.State.Running}} {{.State.ExitCode}}' "$COMMAND" 2>&1)" ||
      die "Docker does not say whether the release command of commit $COMMIT runs: $state"
    case "$state" in
      'false 0') return 0 ;;
      'false '*) die "the release command of commit $COMMIT ended with exit code ${state#* }; its last output: $(last_output "$COMMAND")" ;;
    esac
  done
  docker container stop -t "$COMMAND_STOP_SECONDS" "$COMMAND" >/dev/null || true
  die "the release command of commit $COMMIT had not ended after $RELEASE_COMMAND_SECONDS s and was stopped; its last output: $(last_output "$COMMAND")"
}

# discard_command removes the command's container, which may still run if the hook ends early.
discard_command() {
  docker container stop -t "$COMMAND_STOP_SECONDS" "$COMMAND" >/dev/null 2>&1 || true
  uncut docker container rm --force --volumes "$COMMAND" >/dev/null 2>&1 || log "not removed: $COMMAND"
  COMMAND=''
}
