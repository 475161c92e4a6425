# shellcheck shell=bash
#
# The candidate: this release's container, until it serves. Sourced, not run.
#
# Reads: HEALTH_SECONDS   how long it may take to become healthy (default 180; appspec.yml allows for that)

readonly HEALTH_SECONDS="${HEALTH_SECONDS:-180}"
readonly HEALTHY_IN_A_ROW=3 # consecutive answers, so that being healthy on and off is not enough
readonly HEALTH_PAUSE=0.05  # between two checks, in seconds

CANDIDATE='' # its name, as long as it is one

# start_candidate runs the image beside the serving container. Nothing looks its name up, so it only gets health checks, on
# a port of the loopback interface. It has no restart policy: before it is healthy, an exit is a failure.
start_candidate() {
  local serves previous
  read -r _ serves previous < <(app_containers) || true # one at most, after prepare.sh
  [[ "$serves" == "$IMAGE" ]] || previous="$serves"
  CANDIDATE="$APP_NAME-${COMMIT:0:12}-$(date +%s)"
  uncut docker container run --detach --pull never --name "$CANDIDATE" --network "$EDGE" --publish "127.0.0.1::$CONTAINER_PORT" \
    --env "PORT=$CONTAINER_PORT" --env "RELEASE_COMMIT=$COMMIT" --env "RELEASE_IMAGE=$IMAGE" \
    --label "$LABEL=$APP_NAME" --label "$LABEL_PORT=$CONTAINER_PORT" --label "$LABEL_COMMIT=$COMMIT" \
    --label "$LABEL_IMAGE=$IMAGE" --label "$LABEL_PREVIOUS=$previous" \
    --security-opt no-new-privileges --stop-timeout "$STOP_SECONDS" \
    --log-driver local --log-opt max-size=10m --log-opt max-file=3 "$IMAGE" >/dev/null 2>"$WORK/reason" ||
    die "the container of commit $COMMIT does not start: $(tr '\n' ' ' <"$WORK/reason")"
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
give_up() {
  local lines
  lines="$(docker container logs --tail 10 "$CANDIDATE" 2>&1 | cut -c 1-150)" || true
  log "the container's last output:"
  printf '%s\n' "${lines:-(nothing)}" >&2
  die "commit $COMMIT $1; its last output: ${lines##*$'\n'}"
}

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
