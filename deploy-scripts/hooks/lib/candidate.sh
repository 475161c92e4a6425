# shellcheck shell=bash
#
# The candidate: this release's container, until it serves. Sourced, not run, after run.sh, report.sh
# and anonymous.sh.
#
# Reads: HEALTH_SECONDS (lib/settings.sh)

readonly HEALTHY_IN_A_ROW=3 # consecutive answers, so that being healthy on and off is not enough
readonly HEALTH_PAUSE=0.05  # between two checks, in seconds

CANDIDATE='' # its name, as long as it is one

# start_candidate runs the image beside the serving container. Nothing looks its name up, so it only gets health checks,
# on a port of the loopback interface. It has no restart policy: before it is healthy, an exit is a failure.
start_candidate() {
  local serves previous kept
  read -r _ serves previous < <(app_containers) || true # one at most, after prepare.sh
  [[ "$serves" == "$IMAGE" ]] || previous="$serves"
  kept="$(volumes_to_keep)"
  CANDIDATE="$APP_NAME-${COMMIT:0:12}-$STAMP"
  run_application "$CANDIDATE" web --publish "127.0.0.1::$CONTAINER_PORT" --label "$LABEL=$APP_NAME" --label "$LABEL_PORT=$CONTAINER_PORT" \
    --label "$LABEL_IMAGE=$IMAGE" --label "$LABEL_PREVIOUS=$previous" --label "$LABEL_KEPT=$kept" || die "the container of commit $COMMIT does not start: $(reason)"
}

# candidate_address prints the address at which the host reaches the candidate, "127.0.0.1:<port>".
candidate_address() {
  local addresses
  addresses="$(docker container port "$CANDIDATE" "$CONTAINER_PORT/tcp" 2>/dev/null)" || return 0 # none once it has exited
  first_address "$addresses"
}

# check_running ends the hook if the candidate has exited.
check_running() {
  local state
  state="$(docker container inspect --format '{{.State.Running}} {{.State.ExitCode}}' "$CANDIDATE" 2>&1)" ||
    die "Docker does not say whether the container of commit $COMMIT runs: $state"
  [[ "$state" == 'true '* ]] || give_up "ended with exit code ${state#* } before it was healthy"
}

# give_up shows the candidate's last output and ends the hook.
give_up() { die "commit $COMMIT $1; its last output: $(last_output "$CANDIDATE")"; }

await_health() {
  local begun=$SECONDS healthy=0 address='' status looked='' told=''
  local deadline=$((begun + HEALTH_SECONDS))
  while true; do
    [[ -n "$address" ]] || address="$(candidate_address)"
    read -r status _ < <(http_get "${address%:*}" "${address##*:}" "$HEALTH_PATH")
    if [[ "$status" == 200 ]]; then
      healthy=$((healthy + 1))
      ((healthy < HEALTHY_IN_A_ROW)) || return 0
    else
      healthy=0
      if [[ "$looked" != "$SECONDS" ]]; then # once a second
        looked="$SECONDS"
        check_running
        if [[ "$looked" != "$begun" && "$told" != "$status" ]]; then
          told="$status"
          log "commit $COMMIT is not healthy yet (status: $status)"
        fi
      fi
    fi
    ((SECONDS < deadline)) || give_up "did not answer 200 on port $CONTAINER_PORT, path $HEALTH_PATH, $HEALTHY_IN_A_ROW times in a row within $HEALTH_SECONDS s (last status: $status): $(advice "$status")"
    sleep "$HEALTH_PAUSE"
  done
}
